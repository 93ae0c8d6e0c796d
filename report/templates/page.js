// The page can be read without any of this: it adds sorting, remembers language and colours, and unfolds for paper.
(() => {
  'use strict';
  const root = document.documentElement;
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  // A page opened from disk may have no storage: then nothing is remembered, and nothing else is lost.
  const remember = (key, value) => { try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch {} };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

  // Language: that of the anchor in the address, the one chosen before, the reader's.
  const radios = all('input[name=language]');
  const tagOf = (radio) => radio.id.replace('language-', '');
  const speak = (tag) => {
    root.lang = tag;
    document.title = document.querySelector(`main[lang=${tag}] h1`).textContent;
  };
  const anchored = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  const wanted = anchored?.closest('main')?.lang || recall('hola-language') || navigator.language.slice(0, 2);
  for (const radio of radios) {
    if (tagOf(radio) === wanted) radio.checked = true;
    radio.addEventListener('change', () => { speak(tagOf(radio)); remember('hola-language', tagOf(radio)); });
  }
  speak(tagOf(radios.find((radio) => radio.checked)));
  if (anchored) { if ('open' in anchored) anchored.open = true; anchored.scrollIntoView(); }

  // Light and dark.
  const theme = document.getElementById('theme');
  const next = { undefined: 'light', light: 'dark', dark: undefined };
  const paint = (name) => { name ? root.dataset.theme = name : delete root.dataset.theme; };
  paint(recall('hola-theme') ?? undefined);
  theme.hidden = false;
  theme.addEventListener('click', () => { paint(next[root.dataset.theme]); remember('hola-theme', root.dataset.theme); });

  // Sorting: figures by value, words as the language orders them; what is missing stays last.
  const sort = (table, header) => {
    const place = header.cellIndex;
    const turn = header.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    const collator = new Intl.Collator(table.closest('main').lang, { numeric: true });
    const rows = [...table.tBodies[0].rows];
    rows.sort((one, other) => {
      const [left, right] = [one, other].map((row) => row.cells[place]);
      const [value, than] = [left.dataset.v, right.dataset.v];
      if (value !== undefined && than !== undefined) return (value - than) * turn;
      if (value !== undefined || than !== undefined) return value !== undefined ? -1 : 1;
      return collator.compare(left.textContent, right.textContent) * turn;
    });
    all('th', table).forEach((other) => other.removeAttribute('aria-sort'));
    header.setAttribute('aria-sort', turn < 0 ? 'descending' : 'ascending');
    table.tBodies[0].append(...rows);
  };
  for (const header of all('th')) {
    const button = Object.assign(document.createElement('button'), { type: 'button' });
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener('click', () => sort(header.closest('table'), header));
  }

  // Paper: nothing is folded.
  const folded = [];
  addEventListener('beforeprint', () => {
    folded.push(...all('details:not([open])'));
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener('afterprint', () => folded.splice(0).forEach((details) => { details.open = false; }));
})();
