// The only script of a report: gives counterexamples a button that runs them again in the page, and
// the result one that saves it. Without it the report is complete, and stands still.
(() => {
  const result = document.querySelector('#result').textContent;
  const button = (title, onClick) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = title;
    made.addEventListener('click', onClick);
    return made;
  };
  const save = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([result], { type: 'application/json' }));
    link.download = 'quorumlab-result.json';
    link.click();
    URL.revokeObjectURL(link.href);
  };
  document.querySelector('#save').append(button('Save it as a file', save));

  // The engine is deflated until somebody wants it.
  let engine;
  const load = () =>
    (engine ??= (async () => {
      const packed = atob(document.querySelector('#engine').textContent);
      const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream();
      const whole = stream.pipeThrough(new DecompressionStream('deflate-raw'));
      const source = await new Response(whole).text();
      const script = document.createElement('script');
      script.src = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
      await new Promise((resolve, reject) => {
        script.onload = resolve;
        script.onerror = () => reject(new Error('the engine in this file does not load'));
        document.head.append(script);
      });
      return (element, again) => globalThis.quorumlabViewer.show(element, again, source);
    })());

  for (const place of document.querySelectorAll('.again')) {
    const again = JSON.parse(place.querySelector('.scenario').textContent);
    const status = document.createElement('p');
    status.setAttribute('role', 'status');
    const start = button('Run it again here, and step through it', async () => {
      start.disabled = true;
      status.textContent = 'Running it again …';
      try {
        const show = await load();
        const room = document.createElement('div');
        place.append(room);
        status.textContent = await show(room, again);
      } catch (error) {
        status.textContent = `It cannot be run here: ${error.message}.`;
        start.disabled = false;
      }
    });
    start.setAttribute('aria-describedby', place.closest('article').querySelector('h3').id);
    place.append(start, status);
  }
})();
