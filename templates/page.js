// What the scripts of both pages share; each is appended to this one. Texts of others get into a page as text alone, never as
// markup.
'use strict';
const words = JSON.parse(document.body.dataset.words);
const language = document.documentElement.lang;
const token = new URLSearchParams(location.search).get('token');

const find = (id) => document.getElementById(id);
const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const clock = (time_ms) => new Date(time_ms).toLocaleTimeString(language);

// A line of a chat; a time of 0 is not shown.
const makeLine = (text, kind, time_ms) => {
  const time = time_ms ? [make('time', { textContent: clock(time_ms) }), ' '] : [];
  return make('p', { className: kind }, ...time, make('span', { textContent: text }));
};
// Adds lines to a chat of that length at most. It scrolls along, unless somebody reads above.
const addLines = (log, lines, most) => {
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 30;
  log.append(...lines);
  while (log.childElementCount > most) log.firstElementChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
};

const post = (path, body) => fetch(`${path}?token=${token}`, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
});
// Sends what is written in a form as `send` says. What is refused stays there, with what `reason` says of the status.
const onSubmit = (form, send, reason) => find(form).addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = find('text').value;
  const answer = await send(text).catch(() => ({}));
  if (answer.ok) find('text').value = '';
  find(`${form}-state`).textContent = answer.ok ? '' : answer.status ? reason(answer.status, text) : say('disconnected');
});

const showConnection = (state, text) => {
  find('connection').dataset.state = state;
  find('connection').textContent = text;
};
// Calls the action of each event. The browser connects again by itself, unless it is refused.
const listen = (actions) => {
  const source = new EventSource(`events?token=${token}`);
  const isRefused = () => source.readyState === EventSource.CLOSED;
  source.addEventListener('open', () => showConnection('connected', say('connected')));
  source.addEventListener('error', () => showConnection('disconnected', isRefused() ? say('refused_page') : say('disconnected')));
  source.addEventListener('message', (message) => {
    const event = JSON.parse(message.data);
    actions[event.kind]?.(event);
  });
  return source;
};
