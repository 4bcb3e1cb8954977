(() => {
  "use strict";
  const list = document.querySelector(".cards");
  if (!list) return;
  const url = list.dataset.marks, draw = list.dataset.draw || null, may = list.dataset.may === "true";
  let current = null;
  const cards = () => [...list.querySelectorAll(":scope > .card")];
  const ready = (card) => { if (may) card.querySelector(".marking").hidden = false; };
  cards().forEach(ready);

  const choose = (card) => {
    if (!card) return;
    if (current) current.classList.remove("current");
    current = card;
    card.classList.add("current");
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  };
  const openFaults = (card, open) => {
    card.querySelector(".faults").hidden = !open;
    card.querySelector("[data-judge=bad]").setAttribute("aria-expanded", String(open));
    if (open) card.querySelector("[data-fault]").focus();
  };
  const send = async (card, judgement, fault) => {
    const state = card.querySelector(".state"), note = card.querySelector("[data-note]");
    state.textContent = "Storing …";
    try {
      const reply = await fetch(url, {
        method: "POST", credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-Captions": "mark" },
        body: JSON.stringify({ sample_id: card.dataset.sample, text_xxh3: card.dataset.text,
          judgement, fault: fault || null, note: note.value, draw }),
      });
      if (!reply.ok) throw new Error((await reply.text()).slice(0, 300));
      for (const button of card.querySelectorAll("[data-judge]"))
        if (button.hasAttribute("aria-pressed"))
          button.setAttribute("aria-pressed", String(button.dataset.judge === judgement));
      state.textContent = judgement === "withdrawn" ? "Withdrawn." : `Stored: ${judgement}${fault ? ", " + fault.replaceAll("_", " ") : ""}.`;
      note.value = "";
      openFaults(card, false);
      return true;
    } catch (error) {
      state.textContent = `Not stored: ${error.message}`;
      return false;
    }
  };
  const step = (by) => {
    const all = cards(), at = all.indexOf(current);
    const next = all[at + by];
    if (next) return choose(next);
    if (by > 0) document.querySelector("[data-more]")?.focus();
  };
  const judge = async (card, judgement, fault) => {
    const ok = await send(card, judgement, fault);
    if (ok && judgement !== "withdrawn" && card === current) step(1);
  };
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const card = event.target.closest(".card");
    if (!button || !card) return;
    choose(card);
    if (button.dataset.fault) judge(card, "bad", button.dataset.fault);
    else if (button.dataset.judge === "bad") openFaults(card, card.querySelector(".faults").hidden);
    else judge(card, button.dataset.judge);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) {
      if (event.key === "Escape" && current) choose(current);
      return;
    }
    const key = event.key;
    if (key === "j") { step(1); if (!current) choose(cards()[0]); }
    else if (key === "k") step(-1);
    else if (key === "/") { event.preventDefault(); document.querySelector("[name=text]")?.focus(); }
    else if (!current || !may) return;
    else if (key === "g") judge(current, "good");
    else if (key === "b") openFaults(current, true);
    else if (key === "u") judge(current, "withdrawn");
    else if (key === "n") { openFaults(current, true); event.preventDefault(); current.querySelector("[data-note]").focus(); }
    else if (key === "Escape") { openFaults(current, false); choose(current); }
    else if (!current.querySelector(".faults").hidden && key >= "1" && key <= "5")
      judge(current, "bad", current.querySelectorAll("[data-fault]")[key - 1].dataset.fault);
  });
  document.addEventListener("click", async (event) => {
    const more = event.target.closest("[data-more]");
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const reply = await fetch(more.href, { credentials: "same-origin" });
      if (!reply.ok) throw new Error(reply.statusText);
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const fresh = [...page.querySelectorAll(".cards > .card")].map((card) => document.importNode(card, true));
      fresh.forEach((card) => { ready(card); list.append(card); });
      const foot = page.querySelector(".more");
      more.closest(".more").replaceWith(document.importNode(foot, true));
      choose(fresh[0]);
    } catch { location.assign(more.href); }
  });
})();
