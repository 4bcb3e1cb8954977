// Airflow shows this page in a frame that its links cannot leave, and would show itself within
// itself. A link of its own document leads there.
(() => {
  "use strict";
  if (window.parent === window) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-airflow]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const door = window.parent.document.createElement("a");
    door.href = link.href;
    door.click();
  });
})();
