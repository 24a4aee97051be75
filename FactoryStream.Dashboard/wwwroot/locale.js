// Tells the Dashboard the browser's time zone and how it writes numbers, before the live page's connection is made; and says on the page
// which zone it is.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  const parts = new Intl.NumberFormat().formatToParts(1234567.5);
  const sign = type => parts.find(part => part.type === type)?.value ?? '';
  const value = encodeURIComponent([zone, sign('decimal'), sign('group')].join('~'));
  const path = new URL(document.baseURI).pathname;
  document.cookie = `factorystream-locale=${value}; path=${path}; max-age=31536000; samesite=lax`;

  const show = () => {
    const place = document.getElementById('time-zone');
    if (place && place.textContent !== zone)
      place.textContent = zone;
  };
  show();
  // A page that is opened from another one brings the first server's word for it.
  document.addEventListener('DOMContentLoaded', () => globalThis.Blazor?.addEventListener?.('enhancedload', show));
})();
