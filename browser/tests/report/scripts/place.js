// Scrolls `element` into view and returns its middle in the window, or why it cannot be clicked.
if (!element) return { missing: true };
element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
const box = element.getBoundingClientRect();
const x = Math.round(box.x + box.width / 2);
const y = Math.round(box.y + box.height / 2);
const hit = document.elementFromPoint(x, y);
return element.contains(hit) ? { x, y } : { box, covered_by: hit && hit.outerHTML.slice(0, 200) };
