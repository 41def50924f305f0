-- Destinations that clients make once, for several subscriptions to use. The body is JSON of the events room.
CREATE TABLE listener_destination (
    name TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

-- The filter and the destination that a subscription was made of, as JSON; NULL where it brought its own.
ALTER TABLE subscription ADD COLUMN made_of TEXT;
