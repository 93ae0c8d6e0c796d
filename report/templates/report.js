// The page can be read without any of this: it adds sorting, readouts, toggles, and remembers language and colours.
(() => {
  'use strict';
  const root = document.documentElement;
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const make = (name, properties) => Object.assign(document.createElement(name), properties);

  // A page opened from disk may have no storage: then nothing is remembered, and nothing else is lost.
  const remember = (key, value) => { try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch {} };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

  // Language.
  const radios = all('input[name=language]');
  const tagOf = (radio) => radio.id.replace('language-', '');
  const speak = (tag) => {
    const main = document.querySelector(`main[lang=${tag}]`);
    root.lang = tag;
    document.title = main.querySelector('h1').textContent;
  };
  const anchored = location.hash && document.getElementById(location.hash.slice(1));
  const wanted = (anchored && anchored.closest('main').lang) || recall('hola-language') || navigator.language.slice(0, 2);
  for (const radio of radios) {
    if (tagOf(radio) === wanted) radio.checked = true;
    radio.addEventListener('change', () => { speak(tagOf(radio)); remember('hola-language', tagOf(radio)); });
  }
  speak(tagOf(radios.find((radio) => radio.checked)));
  if (anchored) anchored.scrollIntoView();

  // Light and dark.
  const theme = document.getElementById('theme');
  const next = { undefined: 'light', light: 'dark', dark: undefined };
  const paint = (name) => { name ? root.dataset.theme = name : delete root.dataset.theme; };
  paint(recall('hola-theme'));
  theme.hidden = false;
  theme.addEventListener('click', () => { paint(next[root.dataset.theme]); remember('hola-theme', root.dataset.theme); });

  // Sorting.
  // Figures by their value, words as the language orders them, numbers within words as numbers.
  const inOrder = (one, other) => {
    const [value, than] = [one, other].map((cell) => cell.dataset.value);
    if (value !== undefined && than !== undefined) return value - than;
    if (value !== undefined || than !== undefined) return value !== undefined ? -1 : 1;
    const collator = new Intl.Collator(one.closest('main').lang, { numeric: true });
    return collator.compare(one.textContent.trim(), other.textContent.trim());
  };
  const sort = (table, header) => {
    const place = header.cellIndex;
    const descends = header.getAttribute('aria-sort') === 'ascending';
    const rows = [...table.tBodies[0].rows];
    rows.sort((one, other) => inOrder(one.cells[place], other.cells[place]) * (descends ? -1 : 1));
    all('th', table).forEach((other) => other.removeAttribute('aria-sort'));
    header.setAttribute('aria-sort', descends ? 'descending' : 'ascending');
    table.tBodies[0].append(...rows);
  };
  for (const table of all('table.sortable')) {
    for (const header of all('th', table)) {
      const button = make('button', { type: 'button' });
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener('click', () => sort(table, header));
    }
  }

  // Charts.
  const show = (figure, spoken) => {
    const readout = figure.querySelector('output.readout');
    all('.said', figure).forEach((element) => element.classList.remove('said'));
    spoken?.classList.add('said');
    readout.textContent = spoken?.dataset.say ?? '';
  };
  const listen = (figure, drawing) => {
    const visible = () => all('[data-say]', drawing).filter((element) => !element.closest('.hidden'));
    if (!visible().length) return;
    // It keeps its place while it says nothing: a page that moves takes the next point away from under the pointer.
    figure.querySelector('output.readout').hidden = false;
    // A mouse that rests where the page moves takes nothing from the keyboard.
    const hover = (spoken) => { if (spoken || document.activeElement !== drawing) show(figure, spoken); };
    drawing.addEventListener('pointerover', (event) => hover(event.target.closest('[data-say]')));
    drawing.addEventListener('pointerleave', () => hover(null));
    drawing.tabIndex = 0;
    drawing.addEventListener('blur', () => show(figure, null));
    drawing.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const said = visible();
      const now = said.indexOf(drawing.querySelector('.said'));
      show(figure, said[now < 0 ? (step > 0 ? 0 : said.length - 1) : (now + step + said.length) % said.length]);
    });
  };
  const toggles = (figure) => {
    const entries = all('g.entry[data-series]', figure.querySelector('svg.chart'));
    if (entries.length < 2) return;
    const row = make('div', { className: 'toggles' });
    for (const entry of entries) {
      const { series } = entry.dataset;
      const button = make('button', { type: 'button', textContent: entry.textContent.trim() });
      button.dataset.series = series;
      button.setAttribute('aria-pressed', 'true');
      button.addEventListener('click', () => {
        const hides = button.getAttribute('aria-pressed') === 'true';
        button.setAttribute('aria-pressed', String(!hides));
        const groups = `g.one[data-series~="${series}"], g.entry[data-series="${series}"]`;
        all(groups, figure).forEach((group) => group.classList.toggle('hidden', hides));
        show(figure, null);
      });
      row.append(button);
    }
    figure.querySelector('output.readout').before(row);
  };
  for (const figure of all('figure.chart-figure')) {
    all('svg.chart', figure).forEach((drawing) => listen(figure, drawing));
    toggles(figure);
  }

  // Paper: nothing is folded.
  const folded = [];
  addEventListener('beforeprint', () => {
    folded.push(...all('details:not([open])'));
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener('afterprint', () => folded.splice(0).forEach((details) => { details.open = false; }));
})();
