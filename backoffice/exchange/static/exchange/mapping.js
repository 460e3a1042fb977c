/*
 * The form of a file's columns: tells at once which field gets two columns and which gets none,
 * and adds steps and values for every row. The server checks all of it again.
 */
(() => {
  "use strict";

  const form = document.querySelector("[data-exchange-mapping]");
  if (!form) {
    return;
  }
  const demands = JSON.parse(document.getElementById("exchange-demands").textContent);
  const wanting = form.querySelector("[data-exchange-wanting]");

  const tell = (text, values) =>
    Object.entries(values).reduce((told, [name, value]) => told.replace(`%(${name})s`, value), text);

  const judge = () => {
    const columns = [...form.querySelectorAll("[data-exchange-column]")].map((row) => ({
      row,
      target: row.querySelector("[data-exchange-target]").value,
      said: row.querySelector("[data-exchange-said]"),
    }));
    const constants = [...form.querySelectorAll("[data-exchange-constant]")].map((s) => s.value);
    const fed = [...columns.map((column) => column.target), ...constants].filter(Boolean);
    for (const { row, target, said } of columns) {
      const isDoubled = target !== "" && fed.filter((name) => name === target).length > 1;
      row.classList.toggle("exchange-unmapped", target === "");
      row.classList.toggle("exchange-doubled", isDoubled);
      said.textContent = isDoubled ? demands.messages.doubled : "";
      said.hidden = !isDoubled;
    }
    const needed = demands.needed.filter((name) => !fed.includes(name));
    const told = [];
    if (!fed.includes(demands.key)) {
      told.push(tell(demands.messages.key, { field: demands.labels[demands.key] }));
    }
    if (needed.length > 0) {
      const fields = needed.map((name) => demands.labels[name]).join(", ");
      told.push(tell(demands.messages.needed, { fields }));
    }
    wanting.textContent = told.join(" ");
    wanting.hidden = told.length === 0;
    wanting.classList.toggle("exchange-doubled", !fed.includes(demands.key));
  };

  // Which facts a step has, and what they are called.
  const name = (entry) => {
    const kind = entry.querySelector("[data-exchange-kind]");
    if (!kind) {
      return;
    }
    const chosen = kind.selectedOptions[0];
    for (const fact of entry.querySelectorAll("[data-exchange-fact]")) {
      const label = chosen.dataset[fact.dataset.exchangeFact] || "";
      fact.hidden = label === "";
      fact.placeholder = label;
      if (label !== "") {
        fact.setAttribute("aria-label", label);
      }
    }
  };

  // "Discontinued" says the opposite of "Active": the step that turns it goes with that choice.
  const turn = (row) => {
    const steps = row.querySelector("[data-exchange-steps]");
    const button = row.querySelector("[data-exchange-add]");
    if (!steps || !button || !("exchangeOpposite" in row.dataset)) {
      return;
    }
    const kinds = [...steps.querySelectorAll("[data-exchange-kind]")];
    const isFlag = demands.flags.includes(row.querySelector("[data-exchange-target]").value);
    if (isFlag && kinds.length === 0) {
      add(button);
      const kind = steps.querySelector("[data-exchange-kind]");
      kind.value = "opposite";
      name(kind.closest("[data-exchange-entry]"));
    } else if (!isFlag && kinds.length === 1 && kinds[0].value === "opposite") {
      kinds[0].closest("[data-exchange-entry]").remove();
    }
  };

  const add = (button) => {
    const entry = document
      .getElementById(button.dataset.exchangeAdd)
      .content.firstElementChild.cloneNode(true);
    if (button.dataset.exchangeIndex) {
      for (const field of entry.querySelectorAll("[name]")) {
        field.name += button.dataset.exchangeIndex;
      }
    }
    button.previousElementSibling.append(entry);
    name(entry);
    entry.querySelector("select").focus();
  };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.exchangeAdd) {
      add(button);
    } else if (button && "exchangeRemove" in button.dataset) {
      button.closest("[data-exchange-entry]").remove();
      judge();
    }
  });
  form.addEventListener("change", (event) => {
    const entry = event.target.closest("[data-exchange-entry]");
    if (entry) {
      name(entry);
    }
    judge();
  });
  // Select2 tells of changes through jQuery only.
  django.jQuery(form).on("change", "[data-exchange-target]", (event) => {
    turn(event.target.closest("[data-exchange-column]"));
    judge();
  });
  form.querySelectorAll("[data-exchange-entry]").forEach(name);
  judge();
})();
