// What is hard to read or to use on the page: contrast (WCAG 2.1, 1.4.3), names of fields and buttons, headings, landmarks,
// tables, ids, and whether it fits the width.
const problems = [];
const about = (element) => element.outerHTML.slice(0, 120);

const rgb = (color) => {
  const canvas = (window.auditCanvas ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return { channels: [r, g, b], alpha: a / 255 };
};
const luminance = (channels) => {
  const [r, g, b] = channels.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const color = rgb(getComputedStyle(at).backgroundColor);
    if (color.alpha > 0) layers.push(color);
    if (color.alpha === 1) break;
  }
  return layers.reverse().reduce((below, { channels, alpha }) => channels.map((c, i) => c * alpha + below[i] * (1 - alpha)), [255, 255, 255]);
};
const isSeen = (element) => element.checkVisibility({ checkVisibilityCSS: true }) && element.getBoundingClientRect().width > 1;

const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.textContent.trim() || !isSeen(element) || ["SCRIPT", "NOSCRIPT", "OPTION"].includes(element.tagName)) continue;
  const [text, below] = [luminance(rgb(getComputedStyle(element).color).channels), luminance(ground(element))];
  const contrast = (Math.max(text, below) + 0.05) / (Math.min(text, below) + 0.05);
  if (contrast < 4.5) problems.push(`contrast ${contrast.toFixed(2)}: ${about(element)}`);
}

for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
  if (!field.labels.length && !field.ariaLabel) problems.push(`a field without a name: ${about(field)}`);
}
for (const element of document.querySelectorAll("button, a")) {
  if (!element.textContent.trim() && !element.ariaLabel) problems.push(`nothing to read: ${about(element)}`);
}
const headings = [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1]));
if (headings.filter((level) => level === 1).length !== 1) problems.push(`${headings.length} headings, not one h1`);
headings.forEach((level, i) => { if (i && level > headings[i - 1] + 1) problems.push(`a heading of level ${level} after ${headings[i - 1]}`); });
for (const landmark of ["main", "header"]) {
  if (document.querySelectorAll(landmark).length !== 1) problems.push(`not one ${landmark}`);
}
for (const nav of document.querySelectorAll("nav")) {
  if (!nav.ariaLabel) problems.push(`a navigation without a name: ${about(nav)}`);
}
for (const head of document.querySelectorAll("th")) {
  if (!head.scope) problems.push(`a table header without a scope: ${about(head)}`);
}
for (const bar of document.querySelectorAll("progress")) {
  if (!bar.ariaLabel) problems.push(`a progress bar without a name: ${about(bar)}`);
}
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => problems.push(`two elements are called ${id}`));
if (!document.documentElement.lang || !document.title) problems.push("the page has no language or no title");
if (document.documentElement.scrollWidth > innerWidth) problems.push(`it is ${document.documentElement.scrollWidth} wide, of ${innerWidth}`);
return problems;
