// The page of the operator: shows the events that the console sends, and sends what the operator asks for.
(() => {
  // As many as the console keeps.
  const LINES_MAX = 10000;
  const WINDOW_MS = 120000;
  // A list that is longer tells nobody anything.
  const WORKERS_MAX = 64;

  const draw = (tag, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const number = (value) => {
    if (value === null || value === undefined || Number.isNaN(value)) return say('unknown');
    const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
    return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  };

  // Whatever has changed is drawn once a frame: a page that is opened gets thousands of events at once.
  const changed = new Set();
  const redraw = (part) => {
    if (changed.size === 0) requestAnimationFrame(() => {
      const parts = [...changed];
      changed.clear();
      parts.forEach((one) => one());
    });
    changed.add(part);
  };

  // The chat: its clients.
  const roster = find('roster');
  const clients = new Map();
  // The list of clients that the console sends includes all events up to this number.
  let included = 0;
  const options = (select, numbers, first) => {
    const chosen = select.value;
    select.replaceChildren(new Option(first, ''), ...numbers.map((one) => new Option(say('one', { client: one }), one)));
    select.value = chosen;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  };
  const drawRoster = () => {
    const here = [...clients.values()];
    roster.replaceChildren(...here.map((one) => make('tr', {},
      make('th', { scope: 'row', textContent: one.client }),
      make('td', { textContent: one.address }),
      make('td', { textContent: clock(one.since_ms) }),
      make('td', { className: 'n', textContent: number(one.messages) }))));
    find('nobody').hidden = here.length > 0;
    options(find('to'), here.map((one) => one.client), say('all'));
  };
  const changeRoster = (event, change) => {
    if (!roster || event.number <= included) return;
    change();
    redraw(drawRoster);
  };

  // The chat: its lines.
  const log = find('log');
  const spoke = new Set();
  let newLines = [];
  const drawLog = () => addLines(log, newLines.splice(0), LINES_MAX);
  const drawSpoke = () => options(find('show'), [...spoke], say('everything'));
  const isShown = (client) => find('show').value === '' || find('show').value === client;
  const line = (event, text, kind = 'note') => {
    if (!log) return;
    const client = String(event.client ?? event.to ?? '');
    const shown = makeLine(text, kind, event.time_ms);
    shown.hidden = !isShown(client);
    shown.dataset.client = client;
    newLines.push(shown);
    newLines = newLines.slice(-LINES_MAX);
    redraw(drawLog);
    if (client !== '' && !spoke.has(Number(client))) {
      spoke.add(Number(client));
      redraw(drawSpoke);
    }
  };
  if (log) {
    find('show').addEventListener('change', () => {
      for (const one of log.children) one.hidden = !isShown(one.dataset.client);
      log.scrollTop = log.scrollHeight;
    });
    const send = (text) => post('answer', { to: find('to').value === '' ? null : Number(find('to').value), text });
    onSubmit('answer', send, (status) => status === 404 ? say('gone') : say('not_sent'));
    // The whole address, as this browser sees it, for others.
    find('client-page').textContent = find('client-page').href;
  }

  // The server live: figures.
  const samples = [];
  const values = {
    clients: (one) => one.clients,
    requests_per_s: (one) => one.requests_per_s,
    accepted_per_s: (one) => one.accepted_per_s,
    processes: (one) => one.processes,
    threads: (one) => one.threads,
    cpu_percent: (one) => one.cpu_percent,
    memory_mib: (one) => one.memory_kib === null ? null : one.memory_kib / 1024,
    refused: (one) => one.refused,
    broken: (one) => one.broken,
    expired: (one) => one.expired,
    crashed: (one) => one.crashed,
    probe_failed: (one) => one.probe && one.probe.failed,
    p50_ms: (one) => one.probe && milliseconds(one.probe.p50_us),
    p99_ms: (one) => one.probe && milliseconds(one.probe.p99_us),
  };
  const milliseconds = (time_us) => time_us === null ? null : time_us / 1000;

  // The server live: charts of the last two minutes.
  const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [360, 150, 44, 12, 22];
  const chart = (title, series) => {
    const id = `chart-${series[0].value}`;
    const svg = draw('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-labelledby': id });
    const label = (x, y, anchor) => svg.appendChild(draw('text', { x, y, 'text-anchor': anchor }));
    const rule = (y) => svg.append(draw('line', { x1: LEFT, x2: WIDTH, y1: y, y2: y }));
    rule(TOP);
    rule(HEIGHT - BOTTOM);
    const highest = label(LEFT - 6, TOP + 4, 'end');
    label(LEFT - 6, HEIGHT - BOTTOM + 4, 'end').textContent = number(0);
    label(LEFT, HEIGHT - 5, 'start').textContent = say('two_minutes_ago');
    label(WIDTH, HEIGHT - 5, 'end').textContent = say('now');
    const lines = series.map((_, index) => svg.appendChild(draw('polyline', { class: `series-${index}` })));
    const texts = series.map((_, index) => make('span', { className: `legend series-${index}` }));
    const caption = make('figcaption', { id }, make('strong', { textContent: title }), ...texts);
    find('charts').append(make('figure', {}, caption, svg));
    return () => {
      const newest = samples.at(-1).time_ms;
      const found = series.map(({ value }) => samples.map((one) => [one.time_ms, values[value](one)]).filter(([, y]) => y !== null));
      const top = Math.max(0, ...found.flat().map(([, y]) => y)) || 1;
      highest.textContent = number(top);
      found.forEach((points, index) => {
        const x = (time_ms) => WIDTH - (newest - time_ms) / WINDOW_MS * (WIDTH - LEFT);
        const y = (value) => HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP);
        lines[index].setAttribute('points', points.map(([time_ms, value]) => `${x(time_ms).toFixed(1)},${y(value).toFixed(1)}`).join(' '));
        const all = points.map(([, value]) => value);
        texts[index].textContent = all.length === 0 ? say('chart_empty', { series: series[index].name }) : say('chart_text', {
          series: series[index].name, now: number(all.at(-1)), lowest: number(Math.min(...all)), highest: number(Math.max(...all)),
        });
      });
    };
  };
  let charts = null;
  const newCharts = (sample) => {
    const one = (name, value) => chart(name, [{ name, value }]);
    const made = [
      // In a chat the server answers nothing: there are no requests.
      ...(log ? [] : [one(say('requests'), 'requests_per_s')]),
      one(say('clients'), 'clients'),
      one(say('cpu'), 'cpu_percent'),
      one(say('threads'), 'threads'),
      one(say('memory'), 'memory_mib'),
    ];
    const response = [{ name: say('p50'), value: 'p50_ms' }, { name: say('p99'), value: 'p99_ms' }];
    return sample.probe ? [...made, chart(say('response'), response)] : made;
  };

  // The server live: a bar for each worker, of requests if there are any, otherwise of clients.
  const drawWorkers = (workers) => {
    const isBusy = workers.some((one) => one.requests_per_s > 0);
    const size = (one) => isBusy ? one.requests_per_s : one.clients;
    const most = Math.max(...workers.map(size), 1);
    find('workers').replaceChildren(...workers.slice(0, WORKERS_MAX).map((one) => {
      const bar = draw('svg', { viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
      bar.append(draw('rect', { width: 100 * size(one) / most, height: 6 }));
      const text = say('worker_line', { number: one.number, clients: number(one.clients), rate: number(one.requests_per_s) });
      return make('li', {}, make('span', { textContent: text }), bar);
    }));
  };
  const drawLive = () => {
    const newest = samples.at(-1);
    for (const one of document.querySelectorAll('[data-figure]')) one.textContent = number(values[one.dataset.figure](newest));
    charts ??= newCharts(newest);
    charts.forEach((update) => update());
    drawWorkers(newest.workers);
  };

  // The load.
  const button = find('load');
  const showLoad = (...lines) => button && find('load-state').replaceChildren(...lines.map((text) => make('p', { textContent: text })));
  button?.addEventListener('click', async () => {
    const answer = await post('load', {}).catch(() => ({}));
    if (answer.status === 409) showLoad(say('load_busy'));
  });

  const actions = {
    present: (event) => {
      included = event.number;
      clients.clear();
      event.clients.forEach((one) => clients.set(one.client, one));
      if (roster) redraw(drawRoster);
    },
    missing: (event) => line(event, say('line_missing', event)),
    connected: (event) => {
      line(event, say('line_connected', event));
      const { client, address, time_ms } = event;
      changeRoster(event, () => clients.set(client, { client, address, since_ms: time_ms, messages: 0 }));
    },
    message: (event) => {
      line(event, say('line_message', event), 'message');
      changeRoster(event, () => { if (clients.has(event.client)) clients.get(event.client).messages += 1; });
    },
    answer: (event) => line(event, event.to === null ? say('line_answer_all', event) : say('line_answer_one', { ...event, client: event.to }), 'answer'),
    dropped: (event) => line(event, say('line_dropped', event), 'bad'),
    failed: (event) => line(event, say('line_failed', event), 'bad'),
    left: (event) => {
      line(event, event.died ? say('line_died', event) : say('line_left', event), event.died ? 'bad' : 'note');
      changeRoster(event, () => clients.delete(event.client));
    },
    sample: (event) => {
      samples.push(event);
      while (samples[0].time_ms < event.time_ms - WINDOW_MS) samples.shift();
      redraw(drawLive);
    },
    load_started: (event) => showLoad(say('load_started', { rate: number(event.rate_per_s), seconds: number(event.seconds) })),
    load_ended: (event) => {
      const [p50, p99, max] = [event.p50_us, event.p99_us, event.max_us].map((time_us) => number(milliseconds(time_us)));
      const result = say('load_ended', { good: number(event.good_per_s), failed: number(event.failed), p50, p99, max });
      const checks = event.failed_checks.join(', ');
      showLoad(result, ...(checks ? [say('load_doubtful', { checks })] : []));
    },
    load_failed: (event) => showLoad(say('load_failed', event)),
  };

  listen(actions);
})();
