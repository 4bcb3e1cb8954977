(() => {
  "use strict";
  const form = document.querySelector("[data-what-if]");
  const limit = form.querySelector("[data-limit]"), slide = form.querySelector("[data-slide]");
  const change = form.querySelector("[name=change]");
  let waiting = null, asked = 0;
  const show = async () => {
    const mine = ++asked;
    const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    const reply = await fetch(url, { credentials: "same-origin" });
    if (mine !== asked || !reply.ok) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const wanted of ["#outcome", "h1", ".actions"]) {
      const fresh = page.querySelector(wanted);
      if (fresh) document.querySelector(wanted).replaceWith(document.importNode(fresh, true));
    }
    history.replaceState(null, "", url);
  };
  const later = () => { clearTimeout(waiting); waiting = setTimeout(show, 250); };
  const setUp = (value) => {
    const chosen = limit.selectedOptions[0].dataset;
    slide.disabled = !chosen.value;
    if (!chosen.value) return;
    Object.assign(slide, { min: 0, max: chosen.most, step: chosen.step });
    slide.value = value ?? chosen.value;
  };
  setUp(change.value.split("=")[1]);
  limit.addEventListener("change", () => {
    setUp();
    change.value = slide.disabled ? limit.value : `${limit.value}=${slide.value}`;
    later();
  });
  slide.addEventListener("input", () => { change.value = `${limit.value}=${slide.value}`; later(); });
})();
