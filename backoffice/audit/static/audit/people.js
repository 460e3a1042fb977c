/*
 * In a text area with data-people, @ opens a list of people: up and down move in it, Enter or Tab
 * choose, Escape closes it. The focus stays in the text, as it does in a combobox.
 */
"use strict";

(() => {
  const TYPED = /(?:^|[^\p{L}\p{N}_@.])@([\p{L}\p{N}_.+-]*(?: [\p{L}\p{N}_.+-]*)?)$/u;
  const WAIT = 150;
  let timer = 0;
  let asked = 0;

  const listOf = (area) => area.form.querySelector("[role=listbox]");
  const optionsOf = (area) => [...listOf(area).querySelectorAll("[role=option]")];
  const typedIn = (area) => TYPED.exec(area.value.slice(0, area.selectionStart))?.[1];

  function say(area, text) {
    area.form.querySelector("[role=status][data-found]").textContent = text;
  }

  function close(area) {
    clearTimeout(timer);
    asked += 1;
    listOf(area).hidden = true;
    listOf(area).replaceChildren();
    area.removeAttribute("aria-activedescendant");
    area.removeAttribute("aria-controls");
    say(area, "");
  }

  function select(area, index) {
    const options = optionsOf(area);
    const chosen = (index + options.length) % options.length;
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", options[chosen].id);
  }

  function show(area, people) {
    const list = listOf(area);
    const texts = area.form.querySelector("[role=status][data-found]").dataset;
    if (people.length === 0) {
      close(area);
      say(area, texts.none);
      return;
    }
    list.replaceChildren(
      ...people.map(({ handle, name }, place) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${place}`;
        option.setAttribute("role", "option");
        option.dataset.handle = handle;
        option.textContent = name;
        if (handle !== `@${name}`) {
          const address = document.createElement("small");
          address.textContent = handle.slice(1);
          option.append(address);
        }
        return option;
      }),
    );
    list.hidden = false;
    area.setAttribute("aria-controls", list.id);
    select(area, 0);
    say(area, texts.found.replace("{count}", String(people.length)));
  }

  async function ask(area) {
    const typed = typedIn(area);
    if (typed === undefined) {
      close(area);
      return;
    }
    asked += 1;
    const mine = asked;
    const response = await fetch(`${area.dataset.people}?q=${encodeURIComponent(typed)}`, {
      headers: { Accept: "application/json" },
    });
    if (mine === asked && response.ok) {
      show(area, (await response.json()).people);
    }
  }

  function choose(area, option) {
    const typed = typedIn(area);
    const end = area.selectionStart;
    area.setRangeText(`${option.dataset.handle} `, end - typed.length - 1, end, "end");
    close(area);
    area.focus();
  }

  const areaOf = (event) => event.target.closest?.("textarea[data-people]");

  document.addEventListener("input", (event) => {
    const area = areaOf(event);
    if (area) {
      clearTimeout(timer);
      timer = setTimeout(() => ask(area), WAIT);
    }
  });

  document.addEventListener(
    "keydown",
    (event) => {
      const area = areaOf(event);
      if (!area || event.isComposing || listOf(area).hidden) {
        return;
      }
      const options = optionsOf(area);
      const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
      if (event.key === "ArrowDown") {
        select(area, now + 1);
      } else if (event.key === "ArrowUp") {
        select(area, now - 1);
      } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
        choose(area, options[now]);
      } else if (event.key === "Escape") {
        close(area);
      } else {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );

  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest?.(".audit-people [role=option]");
    if (option) {
      event.preventDefault();
      choose(option.closest("form").querySelector("textarea[data-people]"), option);
    }
  });

  document.addEventListener("focusout", (event) => {
    const area = areaOf(event);
    if (area) {
      close(area);
    }
  });
})();
