// Returns the problems of the visible charts: missing titles, texts that overlap or stick out of their drawing.
// The lines of a font are slightly higher than its letters, so two boxes may overlap by this much.
const TOUCH_PX = 2;
const problems = [];
const figures = [...document.querySelectorAll('figure')].filter((figure) => figure.checkVisibility());
if (!figures.length) problems.push('no chart is shown');
for (const figure of figures) {
  const title = figure.querySelector('h3')?.textContent.trim();
  if (!title || !figure.querySelector('figcaption')?.textContent.trim()) problems.push(`“${title}”: no title or caption`);
  if (!figure.querySelector('svg')) problems.push(`“${title}”: no drawing`);
}
const drawings = [...document.querySelectorAll('svg.chart')].filter((svg) => svg.checkVisibility());
for (const svg of drawings) {
  const frame = svg.getBoundingClientRect();
  const name = svg.getAttribute('aria-label')?.trim();
  if (svg.getAttribute('role') !== 'img' || !name) problems.push(`${svg.outerHTML.slice(0, 120)}: no role or name`);
  if (!svg.closest('figure')) problems.push(`${name}: not in a figure`);
  const texts = [...svg.querySelectorAll('text')]
    .filter((text) => text.textContent.trim())
    .map((text) => ({ words: text.textContent.trim(), box: text.getBoundingClientRect() }));
  if (!texts.length) problems.push(`${name}: no text`);
  for (const { words, box } of texts) {
    const out = Math.max(frame.left - box.left, frame.top - box.top, box.right - frame.right, box.bottom - frame.bottom);
    if (out > 1) problems.push(`${name}: “${words}” sticks out by ${out.toFixed(1)} px`);
  }
  texts.forEach(({ words, box }, place) => {
    for (const other of texts.slice(place + 1)) {
      const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
      const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
      if (wide > TOUCH_PX && high > TOUCH_PX) {
        problems.push(`${name}: “${words}” on “${other.words}”, ${wide.toFixed(1)} × ${high.toFixed(1)} px`);
      }
    }
  });
}
return problems;
