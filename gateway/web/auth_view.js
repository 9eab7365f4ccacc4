// The first screen: log in, or create an account.

import { login, register } from "./account.js";
import { byId } from "./dom.js";

export class AuthView {
  #state;
  #form = byId("auth-form");
  #error = byId("auth-error");
  #registering = false;

  constructor(state) {
    this.#state = state;
    for (const mode of ["login", "register"]) {
      byId(`mode-${mode}`).addEventListener("click", () => this.#choose(mode === "register"));
    }
    byId("reveal").addEventListener("click", () => this.#reveal());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    state.addEventListener("ended", ({ detail }) => this.#say(detail));
    this.#choose(false);
  }

  render() {
    byId("auth").hidden = this.#state.session !== null;
  }

  #choose(registering) {
    this.#registering = registering;
    byId("mode-login").setAttribute("aria-pressed", String(!registering));
    byId("mode-register").setAttribute("aria-pressed", String(registering));
    byId("email-field").hidden = !registering;
    byId("username-label").textContent = registering ? "User name" : "User name or e-mail address";
    byId("auth-submit").textContent = registering ? "Create account" : "Log in";
    this.#form.elements.password.autocomplete = registering ? "new-password" : "current-password";
    this.#say("");
    this.#form.elements.username.focus();
  }

  #reveal() {
    const { password } = this.#form.elements;
    const hidden = password.type === "password";
    password.type = hidden ? "text" : "password";
    byId("reveal").textContent = hidden ? "Hide" : "Show";
    byId("reveal").setAttribute("aria-pressed", String(hidden));
  }

  async #submit() {
    const { username, email, password } = this.#form.elements;
    const name = username.value.trim();
    const missing = name === "" ? username : password.value === "" ? password : null;
    if (missing) {
      this.#say(missing === username ? "Please enter a user name." : "Please enter a password.");
      missing.focus();
      return;
    }
    const button = byId("auth-submit");
    button.disabled = true;
    this.#say("");
    try {
      this.#state.begin(await this.#ask(name, email.value.trim(), password.value));
      this.#form.reset();
    } catch (error) {
      this.#say(error.message);
      password.focus();
    } finally {
      button.disabled = false;
    }
  }

  #ask(name, email, password) {
    if (!this.#registering) return login(name.includes("@") ? { email: name, password } : { username: name, password });
    return register(email === "" ? { username: name, password } : { username: name, email, password });
  }

  #say(text) {
    this.#error.textContent = text;
    this.#error.hidden = text === "";
  }
}
