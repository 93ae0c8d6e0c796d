// Returns the texts that are too small to read, each once.
const SMALLEST_PX = 11;
const small = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.textContent.trim();
  const holder = walker.currentNode.parentElement;
  if (!text || holder.closest('script, style, title, desc') || !holder.getClientRects().length) continue;
  // A drawing is scaled to the available width.
  const scale = holder.ownerSVGElement ? Math.abs(holder.getScreenCTM().d) : 1;
  const size = parseFloat(getComputedStyle(holder).fontSize) * scale;
  if (size < SMALLEST_PX - 0.01) small.add(`${size.toFixed(1)} px: “${text.slice(0, 60)}” in ${holder.tagName}.${holder.getAttribute('class')}`);
}
return [...small];
