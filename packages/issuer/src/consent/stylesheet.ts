/** Of all pages. Nothing is fetched: no font, no image. */
export const STYLESHEET = `
:root { color-scheme: light dark; --ink: #16202b; --soft: #55636f; --line: #d5dce2; --card: #fff; --ground: #eef2f5;
  --sea: #0b6477; --sea-ink: #fff; --warn: #7a4a00; --warn-ground: #fff4dc; --bad: #a11b2b; --focus: #0b6477 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eef2; --soft: #a3b1bc; --line: #35434f; --card: #18222b;
  --ground: #0e151b; --sea: #57c3d9; --sea-ink: #06222a; --warn: #ffd68a; --warn-ground: #3a2c0e; --bad: #ff9aa5;
  --focus: #8fe1f2 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 30rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  padding: 2rem; box-shadow: 0 1px 2px #0001, 0 12px 32px #0001; overflow-wrap: anywhere }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0 0 .5rem; text-wrap: balance }
h2 { font-size: .8125rem; letter-spacing: .04em; text-transform: uppercase; color: var(--soft); margin: 1.5rem 0 .375rem }
p { margin: 0 0 .75rem }
.soft { color: var(--soft) }
ul { margin: 0; padding: 0; list-style: none }
li { padding: .5rem 0; border-top: 1px solid var(--line) }
li:last-child { border-bottom: 1px solid var(--line) }
code { font: .9375rem ui-monospace, monospace }
.note { margin: 1rem 0 0; padding: .75rem 1rem; border-radius: .5rem; background: var(--warn-ground); color: var(--warn) }
.note strong { display: block }
.error { color: var(--bad); font-weight: 600 }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem }
input { width: 100%; font: inherit; padding: .625rem .75rem; border: 1px solid var(--soft); border-radius: .5rem;
  background: transparent; color: inherit }
.buttons { display: flex; gap: .75rem; margin-top: 1.75rem }
button { flex: 1; font: inherit; font-weight: 600; padding: .75rem 1rem; border-radius: .5rem; cursor: pointer;
  border: 1px solid var(--soft); background: transparent; color: inherit }
button.primary { background: var(--sea); border-color: var(--sea); color: var(--sea-ink) }
button.link { flex: none; padding: 0; border: 0; font-weight: 400; text-decoration: underline; color: var(--soft) }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px }
.who { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; margin-top: 1.25rem;
  font-size: .875rem; color: var(--soft) }
`
