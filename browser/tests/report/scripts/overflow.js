// Whether the page scrolls sideways, and which elements cause it.
const root = document.documentElement;
if (root.scrollWidth <= root.clientWidth) return [];
const problems = [`${root.scrollWidth} px of page in ${root.clientWidth} px`];
for (const one of document.body.querySelectorAll('*')) {
  if (problems.length > 10) break;
  if (one.getBoundingClientRect().right > root.clientWidth + 1 && !one.closest('.scroll, pre, svg')) {
    problems.push(one.outerHTML.slice(0, 120));
  }
}
return problems;
