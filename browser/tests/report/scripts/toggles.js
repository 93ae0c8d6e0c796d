// Hides and shows every series of every chart under `main`; gives what went wrong.
const problems = [];
document.querySelectorAll('details').forEach((details) => { details.open = true; });
// What is inside a drawing is not asked with checkVisibility: Chromium says yes to groups that are not displayed.
const isShown = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility === 'visible';
const figures = [...document.querySelectorAll(`${main} figure.chart-figure`)];
let several = 0;
figures.forEach((figure, place) => {
  const say = (what) => problems.push(`chart ${place}: ${what}`);
  const drawing = [...figure.querySelectorAll('svg.chart')].find((svg) => svg.checkVisibility());
  const groups = [...drawing.querySelectorAll('g.one[data-series], g.entry[data-series]')];
  // Whoever is in the legend can be hidden; a tie on a map belongs to several.
  const isOf = (group, series) => group.dataset.series.split(' ').includes(series);
  const series = [...drawing.querySelectorAll('g.entry[data-series]')].map((entry) => entry.dataset.series);
  const buttons = [...figure.querySelectorAll('div.toggles button[data-series]')];
  if (series.length < 2) {
    if (buttons.length) say('buttons for a single series');
    return;
  }
  several += 1;
  const named = buttons.map((button) => button.dataset.series);
  if ([...named].sort().join() !== [...series].sort().join()) say(`series ${series}, buttons ${named}`);
  if (buttons.some((button) => !button.textContent.trim())) say('a button without a name');
  for (const button of buttons) {
    const own = groups.filter((group) => isOf(group, button.dataset.series));
    const others = groups.filter((group) => !isOf(group, button.dataset.series));
    const state = (when, shown) => {
      if (button.getAttribute('aria-pressed') !== String(shown)) say(`${when}: aria-pressed=${button.getAttribute('aria-pressed')}`);
      for (const group of own) if (isShown(group) !== shown) say(`${when}: ${group.getAttribute('class')} ${button.dataset.series} shown: ${!shown}`);
      if (!others.every(isShown)) say(`${when}: other series are hidden, too`);
    };
    state('before', true);
    button.click();
    state('pressed', false);
    button.click();
    state('pressed again', true);
  }
});
if (!several) problems.push('no chart has several series');
return problems;
