// Returns the violations that axe-core finds; its source has been loaded before.
const tags = ['wcag2a', 'wcag2aa', 'best-practice'];
const lines = (rule) =>
  rule.nodes.slice(0, 5).map((node) => `${rule.id} (${rule.nodes.length}): ${node.html.slice(0, 200)}: ${node.failureSummary}`);
axe
  .run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })
  .then(
    ({ violations, passes }) => done({ violations: violations.flatMap(lines), passes: passes.length }),
    (error) => done({ violations: [String(error)], passes: 0 }),
  );
