// Presses the button of every column of every table in `language` twice; returns the problems.
const problems = [];
let numeric = 0;
let worded = 0;
const words = new Intl.Collator(language, { numeric: true });

const say = (table, column, what) => {
  const heading = table.tHead.rows[0].cells[column].textContent.trim();
  problems.push(`table ${[...document.querySelectorAll('table')].indexOf(table)}, “${heading}”: ${what}`);
};

// The order that this column's heading announces; no other heading may announce one.
const announced = (table, column) => {
  const headings = [...table.tHead.rows[0].cells];
  const others = headings.filter((th, place) => place !== column && th.hasAttribute('aria-sort'));
  if (others.length) say(table, column, `${others[0].textContent.trim()} is announced as sorted, too`);
  const order = headings[column].getAttribute('aria-sort');
  if (order !== 'ascending' && order !== 'descending') say(table, column, `aria-sort is ${order}`);
  return order;
};

const check = (table, column, order) => {
  const cells = [...table.tBodies[0].rows].map((row) => row.cells[column]);
  const numbers = cells.filter((cell) => cell.dataset.v).map((cell) => Number(cell.dataset.v));
  const sign = order === 'descending' ? -1 : 1;
  if (numbers.length) {
    numeric += 1;
    if (numbers.some(Number.isNaN)) say(table, column, 'a data-v is no number');
    const wrong = numbers.findIndex((value, place) => place && sign * (value - numbers[place - 1]) < 0);
    if (wrong > 0) say(table, column, `${order}: ${numbers[wrong - 1]} before ${numbers[wrong]}`);
    if (cells.slice(0, numbers.length).some((cell) => !cell.dataset.v)) say(table, column, `${order}: what is missing is not last`);
  } else {
    worded += 1;
    const texts = cells.map((cell) => cell.textContent.trim());
    const wrong = texts.findIndex((text, place) => place && sign * words.compare(text, texts[place - 1]) < 0);
    if (wrong > 0) say(table, column, `${order}: “${texts[wrong - 1]}” before “${texts[wrong]}”`);
  }
};

for (const table of document.querySelectorAll(`main[lang=${language}] table`)) {
  const rows = [...table.tBodies[0].rows];
  for (let column = 0; column < table.tHead.rows[0].cells.length; column += 1) {
    const button = table.tHead.rows[0].cells[column].querySelector('button');
    if (!button) {
      say(table, column, 'no button');
      continue;
    }
    button.click();
    const first = announced(table, column);
    check(table, column, first);
    button.click();
    const second = announced(table, column);
    check(table, column, second);
    if (first === second) say(table, column, `${first} twice`);
    const now = [...table.tBodies[0].rows];
    if (now.length !== rows.length || rows.some((row) => !now.includes(row))) say(table, column, 'other rows than before');
  }
}
return { problems, numeric, worded };
