"""Validates the instances and calls in messages against exported XML Schemas.

    validate.py SCHEMA.xsd MESSAGE.xml...

What counts are the outermost elements in the namespaces of classes. Prints how many elements of each name were valid;
what is invalid is told on the standard error, and then the exit status is 1.
"""

import collections
import pathlib
import sys

from lxml import etree


def elements(parent):
    """The outermost elements below that are of a class."""
    for child in parent.iterchildren("*"):
        if "/cim-schema/2/" in (etree.QName(child).namespace or ""):
            yield child
        else:
            yield from elements(child)


def alone(element):
    """The element as a document of its own, with the prefixes that its values use."""
    return etree.fromstring(etree.tostring(element, with_tail=False))


def main(schema_file, *messages):
    schema = etree.XMLSchema(file=schema_file)
    valid, errors = collections.Counter(), []
    for message in messages:
        for element in elements(etree.fromstring(pathlib.Path(message).read_bytes())):
            if schema.validate(alone(element)):
                valid[etree.QName(element).localname] += 1
            else:
                errors += [f"{message}: {error.message}" for error in schema.error_log]
    for name, count in sorted(valid.items()):
        print(name, count)
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
