// Whoever drags over a chart of an engine's page, by mouse, pen or finger, is shown that part of its time; Escape leaves it as it was.
// The address holds the time, so Back leads to the one before. The page's own links do the same for the keyboard.
(() => {
  // Less is a click, and no part of a chart.
  const leastPixels = 6;
  // As the page has it: a shorter time is shown as a minute around its middle.
  const leastSpan = 60_000;
  let brush = null;

  // Where the chart's first and last moment are drawn: its category axis goes from one to the other.
  const plotOf = chart => chart.querySelector('.rz-category-axis .rz-line')?.getBoundingClientRect();

  const end = () => {
    brush?.mark.remove();
    brush = null;
  };

  const within = x => Math.min(Math.max(x, brush.plot.left), brush.plot.right);

  const draw = x => {
    const [left, right] = [Math.min(brush.start, x), Math.max(brush.start, x)];
    const top = brush.chart.getBoundingClientRect();
    Object.assign(brush.mark.style, {
      left: `${left + scrollX}px`, width: `${right - left}px`, top: `${top.top + scrollY}px`, height: `${top.height}px`,
    });
    brush.mark.hidden = right - left < leastPixels;
  };

  const show = x => {
    const { plot, from, to, start } = brush;
    const timeAt = pixel => from + (to - from) * (pixel - plot.left) / plot.width;
    let [first, last] = [timeAt(Math.min(start, x)), timeAt(Math.max(start, x))];
    const missing = leastSpan - (last - first);
    if (missing > 0)
      [first, last] = [first - missing / 2, last + missing / 2];
    // Whole seconds are enough for a person, and make short links.
    const [begin, until] = [Math.max(0, Math.floor(first / 1000)), Math.ceil(last / 1000)];
    const address = new URL(location.href);
    address.searchParams.delete('range');
    address.searchParams.set('from', text(begin));
    address.searchParams.set('to', text(until));
    Blazor.navigateTo(address.href);
  };

  const text = seconds => new Date(seconds * 1000).toISOString().replace('.000', '');

  document.addEventListener('pointerdown', event => {
    const chart = event.target.closest?.('[data-from][data-to]');
    const plot = chart && plotOf(chart);
    if (brush || !plot?.width || !event.isPrimary || event.button !== 0)
      return;
    const mark = document.createElement('div');
    mark.className = 'brush';
    mark.hidden = true;
    mark.setAttribute('aria-hidden', 'true');
    document.body.append(mark);
    brush = { chart, plot, mark, pointer: event.pointerId, from: Number(chart.dataset.from), to: Number(chart.dataset.to) };
    brush.start = within(event.clientX);
    // What is drawn anew meanwhile does not end the drag.
    chart.setPointerCapture(event.pointerId);
  });

  document.addEventListener('pointermove', event => {
    if (brush?.pointer === event.pointerId)
      draw(within(event.clientX));
  });

  document.addEventListener('pointerup', event => {
    if (brush?.pointer !== event.pointerId)
      return;
    const x = within(event.clientX);
    if (Math.abs(x - brush.start) >= leastPixels)
      show(x);
    end();
  });

  document.addEventListener('pointercancel', end);
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape')
      end();
  });
})();
