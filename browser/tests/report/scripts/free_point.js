// The first point of a figure's drawing that says something and whose middle nothing else lies on.
(figure) => {
  const drawing = [...figure.querySelectorAll('svg.chart')].find((svg) => svg.checkVisibility());
  const points = [...drawing.querySelectorAll('[data-say]')];
  return points.find((point) => {
    point.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const box = point.getBoundingClientRect();
    const x = Math.round(box.x + box.width / 2);
    const y = Math.round(box.y + box.height / 2);
    const hit = document.elementFromPoint(x, y);
    return hit && hit.closest('[data-say]') === point;
  });
}
