// What the page does when its connection to the Dashboard breaks: it says so, tries on, and loads itself anew once the Dashboard
// answers but no longer knows the page (it was restarted).
(() => {
  const dialog = document.getElementById('components-reconnect-modal');

  dialog.addEventListener('components-reconnect-state-changed', event => {
    switch (event.detail.state) {
      case 'show': dialog.show(); break;
      case 'hide': dialog.close(); break;
      case 'rejected': location.reload(); break;
    }
  });

  const retry = async () => {
    try {
      if (!await Blazor.reconnect())
        location.reload();
    } catch {
      // Still away: the dialog stays, and so does its button.
    }
  };
  document.getElementById('connection-retry').addEventListener('click', retry);
  // A machine that slept: try at once when somebody looks again.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && dialog.classList.contains('components-reconnect-failed'))
      retry();
  });
})();
