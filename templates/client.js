// The page of a client of the chat: shows what the operator answers, and sends what is written here.
(() => {
  // As many as are kept over a reload.
  const LINES_MAX = 500;
  // The token is in the name: another console may have the same port later.
  const store = `lines-${token}`;
  const log = find('log');
  const kept = JSON.parse(sessionStorage.getItem(store) ?? '[]');
  // Under this key the console knows the connection of this page.
  let key = '';

  const show = (lines) => addLines(log, lines.map((one) => makeLine(one.text, one.kind, one.time_ms)), LINES_MAX);
  const keep = (kind, text, time_ms) => {
    const line = { kind, text, time_ms };
    kept.push(line);
    kept.splice(0, kept.length - LINES_MAX);
    try {
      sessionStorage.setItem(store, JSON.stringify(kept));
    } catch {
      // A browser keeps some megabytes: the longest history stays as it was.
    }
    show([line]);
  };
  show(kept);
  log.scrollTop = log.scrollHeight;

  onSubmit('say', async (text) => {
    const answer = await post('say', { key, text });
    if (answer.ok) keep('message', say('line_own', { text: text.trimEnd() }), Date.now());
    return answer;
  }, (status, text) => {
    const bytes = new TextEncoder().encode(text.trimEnd()).length;
    return status === 400 || status === 413 ? say('line_length', { bytes }) : say('not_connected');
  });

  const source = listen({
    joined: (event) => {
      key = event.key;
      keep('note', say('line_joined', event), event.time_ms);
    },
    line: (event) => keep('answer', say('line_operator', event), event.time_ms),
    closed: (event) => {
      source.close();
      keep('bad', say('line_closed'), event.time_ms);
      showConnection('disconnected', say('line_closed'));
    },
  });
})();
