/*
 * The command palette, upon Unfold's searchCommand(): it shows what was opened last while nothing
 * is typed, its first line is the current one, and Enter waits for the answer to what was typed.
 *
 * The browser remembers keys ("inventory.product/12"), never titles: what they name is asked for
 * anew each time, so that a right that was taken away, or another user, shows nothing.
 */
"use strict";

(() => {
  const MOST = 8;
  const PAGE = /\/([a-z_]+)\/([a-z_]+)\/([^/]+)\/change\/$/;

  function place() {
    return `console-recent-${document.querySelector(".console-palette")?.dataset.user}`;
  }

  function remembered() {
    try {
      const keys = JSON.parse(localStorage.getItem(place()) ?? "[]");
      return Array.isArray(keys) ? keys.map(String) : [];
    } catch {
      return [];
    }
  }

  function remember(key) {
    if (key) {
      const keys = [key, ...remembered().filter((each) => each !== key)];
      localStorage.setItem(place(), JSON.stringify(keys.slice(0, MOST)));
    }
  }

  window.consolePalette = () => ({
    ...searchCommand(),
    isWaiting: false,
    wanted: null,
    opener: null,

    handleOpen() {
      if (this.openCommandResults) {
        this.close();
        return;
      }
      this.opener = document.activeElement;
      this.openCommandResults = true;
      Alpine.nextTick(() => this.$refs.searchInputCommand.focus());
      this.offer();
    },

    handleShortcut(event) {
      if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.defaultPrevented) {
        event.preventDefault();
        this.handleOpen();
      }
    },

    offer() {
      htmx.ajax("GET", this.$root.dataset.address, {
        source: this.$refs.searchInputCommand,
        target: "#command-results",
      });
    },

    withRecent(event) {
      if (!this.$refs.searchInputCommand.value.trim()) {
        const query = new URLSearchParams(remembered().map((key) => ["recent", key]));
        event.detail.path = `${this.$root.dataset.address}?${query}`;
      }
    },

    changed() {
      this.isWaiting = true;
      this.wanted = null;
      if (!this.$refs.searchInputCommand.value.trim()) {
        this.offer();
      }
    },

    loaded() {
      this.items = document.querySelectorAll("#command-results [role=option]");
      this.totalItems = this.items.length;
      this.currentIndex = this.totalItems ? 1 : 0;
      const said = document.querySelector("#command-results [data-said]");
      document.getElementById("command-results-note").textContent = said?.dataset.said ?? "";
      // What comes now may answer what was typed before, or nothing that was typed.
      this.isWaiting = said?.dataset.typed !== this.$refs.searchInputCommand.value.trim();
      if (this.wanted && !this.isWaiting) {
        this.go(this.wanted.inNewTab);
      }
    },

    failed() {
      const note = document.getElementById("command-results-note");
      note.textContent = note.dataset.failed;
      this.isWaiting = false;
      this.wanted = null;
    },

    enter(event) {
      const inNewTab = event.ctrlKey || event.metaKey;
      if (this.isWaiting) {
        this.wanted = { inNewTab };
      } else {
        this.go(inNewTab);
      }
    },

    go(inNewTab) {
      this.wanted = null;
      const line = this.items?.[this.currentIndex - 1];
      if (!line) {
        return;
      }
      this.remember(line);
      if (inNewTab) {
        window.open(line.href, "_blank", "noopener");
      } else {
        window.location.assign(line.href);
      }
    },

    remember(line) {
      remember(line.dataset.key);
    },

    handleClear() {
      const input = this.$refs.searchInputCommand;
      if (!input.value) {
        this.close();
        return;
      }
      input.value = "";
      this.changed();
    },

    close() {
      this.$refs.searchInputCommand.value = "";
      this.isWaiting = false;
      this.wanted = null;
      this.openCommandResults = false;
      // Once the trap has let go, which takes a moment.
      setTimeout(() => this.opener?.focus({ preventScroll: true }), 100);
    },

    scrollToActiveItem() {
      this.items[this.currentIndex - 1]?.scrollIntoView({ block: "nearest" });
    },
  });

  document.addEventListener("DOMContentLoaded", () => {
    const opened = PAGE.exec(window.location.pathname);
    if (opened) {
      const [, app, model, key] = opened;
      remember(`${app}.${model}/${decodeURIComponent(key)}`);
    }
    for (const form of document.querySelectorAll("form[action$='/logout/']")) {
      form.addEventListener("submit", () => localStorage.removeItem(place()));
    }
  });
})();
