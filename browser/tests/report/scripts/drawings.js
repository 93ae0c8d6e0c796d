// What is wrong with the charts under `main`: two drawings for two widths or one for all, one of them shown, all described.
const problems = [];
document.querySelectorAll('details').forEach((details) => { details.open = true; });
const figures = [...document.querySelectorAll(`${main} figure.chart-figure`)];
if (!figures.length) problems.push('no chart');
figures.forEach((figure, place) => {
  const say = (what) => problems.push(`chart ${place}: ${what}`);
  const drawings = [...figure.querySelectorAll('svg.chart')];
  const kinds = drawings.map((svg) => ['wide', 'narrow', 'small'].find((kind) => svg.classList.contains(kind)));
  if (!['wide,narrow', 'small'].includes(kinds.join())) say(`drawings: ${kinds}`);
  const shown = drawings.filter((svg) => svg.checkVisibility());
  if (shown.length !== 1) say(`${shown.length} drawings are shown`);
  for (const svg of drawings) {
    if (svg.getAttribute('role') !== 'img') say('no role');
    const words = (svg.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id));
    if (words.length < 2 || words.some((one) => !one || one.ownerSVGElement !== svg || !one.textContent.trim())) {
      say(`title or description: ${svg.getAttribute('aria-labelledby')}`);
    }
    if (!svg.querySelector('title') || !svg.querySelector('desc')) say('no title or description');
  }
  if (!figure.closest('section, article, main').querySelector('details table tbody tr')) say('no numbers behind it');
});
const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
const twice = new Set(ids.filter((id, place) => ids.indexOf(id) !== place));
for (const id of twice) problems.push(`two elements are ${id}`);
return problems;
