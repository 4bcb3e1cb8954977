(() => {
  "use strict";
  const list = document.querySelector("[data-pairs]"), may = list.dataset.may === "true";
  const { before, after, track, shard } = list.dataset;
  const cards = [...list.querySelectorAll(".card")];
  let current = null;
  const choose = (card) => {
    if (!card) return;
    current?.classList.remove("current");
    current = card;
    card.classList.add("current");
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    const next = cards[cards.indexOf(current) + by];
    if (next) choose(next);
    else if (by > 0) document.querySelector("[data-more]")?.focus();
  };
  const send = async (card, better) => {
    const status = card.querySelector("[role=status]");
    status.textContent = "Storing …";
    try {
      const reply = await fetch(list.dataset.pairs, {
        method: "POST", credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-Captions": "mark" },
        body: JSON.stringify({ before, after, track, shard, better, sample_id: card.dataset.sample,
          left_xxh3: card.dataset.left, right_xxh3: card.dataset.right }),
      });
      if (!reply.ok) throw new Error((await reply.text()).slice(0, 300));
      for (const button of card.querySelectorAll("[data-better]"))
        button.setAttribute("aria-pressed", String(button.dataset.better === better));
      status.textContent = `Stored: ${better}.`;
      if (card === current) step(1);
    } catch (error) {
      status.textContent = `Not stored: ${error.message}`;
    }
  };
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-better]");
    if (!button) return;
    choose(button.closest(".card"));
    send(current, button.dataset.better);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") { if (current) step(1); else choose(cards[0]); }
    else if (event.key === "k") step(-1);
    else if (may && current && "120".includes(event.key) && event.key)
      send(current, { 1: "left", 2: "right", 0: "neither" }[event.key]);
  });
})();
