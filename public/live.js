// Keeps what a page marks with `data-live` as it is on the server: the server says that something has changed, and the page is
// fetched again. Nothing moves under the pointer: while it rests on a part with `data-hold`, rows change in place and new ones wait.

const BREATH = 250
const PATIENCE = 5000

const bar = document.querySelector('.live')
const label = bar.querySelector('.live-label')
const pause = bar.querySelector('button')
const waiting = document.querySelector('.waiting')
const LABELS = { connecting: 'Connecting', open: 'Live', paused: 'Paused' }

let known = bar.dataset.version
let paused = false
let source = null
let busy = false
let again = false

function show(line) {
  bar.dataset.line = line
  if (label.textContent !== LABELS[line]) label.textContent = LABELS[line]
}

function connect() {
  source?.close()
  source = null
  if (paused) return show('paused')
  if (document.hidden) return
  show('connecting')
  source = new EventSource('/live')
  source.onopen = () => show('open')
  source.onmessage = ({ data }) => data !== known && refresh()
  source.onerror = () => {
    show('connecting')
    // A line that breaks is fixed by the browser; one that was refused is not.
    if (source?.readyState === EventSource.CLOSED) setTimeout(connect, PATIENCE)
  }
}

async function refresh() {
  again = true
  if (busy) return
  busy = true
  while (again && !paused) {
    again = false
    await new Promise((resolve) => setTimeout(resolve, BREATH))
    await fetchPage().catch(() => {})
  }
  busy = false
}

async function fetchPage() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } })
  if (answer.redirected) return location.reload()
  if (!answer.ok) return
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
  known = fresh.querySelector('.live')?.dataset.version ?? known
  let held = 0
  for (const part of document.querySelectorAll('[data-live]')) {
    const other = fresh.getElementById(part.id)
    if (other) held += settle(part, other)
  }
  tell(held)
}

// Brings a part up to date and tells how many rows have to wait for the pointer to leave.
function settle(part, fresh) {
  const row = part.dataset.hold
  if (!row || !part.matches(':hover')) {
    morph(part, fresh)
    return 0
  }
  const rows = (root) => [...root.querySelectorAll(`.${row}[id]`)]
  const here = new Map(rows(part).map((one) => [one.id, one]))
  let others = 0
  for (const one of rows(fresh)) {
    const old = here.get(one.id)
    if (old) morph(old, one)
    else others += 1
  }
  if (others > 0 || rows(fresh).length < here.size) part.addEventListener('pointerleave', refresh, { once: true })
  return others
}

function tell(held) {
  if (!waiting) return
  waiting.hidden = held === 0
  waiting.textContent =
    held === 1 ? '1 new run: it appears when the pointer leaves the list.'
    : held > 1 ? `${held} new runs: they appear when the pointer leaves the list.`
    : ''
}

// Makes a node like another one in place, so that focus, selection and what a person has opened stay.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(document.importNode(fresh, true))
    return
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue
    return
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isOpened(old, name)) old.removeAttribute(name)
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isOpened(old, name)) old.setAttribute(name, value)
  }
  morphChildren(old, fresh)
}

// Whether a part is open is the person's.
function isOpened(node, name) {
  return node.nodeName === 'DETAILS' && name === 'open'
}

function morphChildren(old, fresh) {
  const coming = new Set([...fresh.children].map((child) => child.id).filter(Boolean))
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]))
  let at = old.firstChild
  for (const child of [...fresh.childNodes]) {
    const same = child.id && named.get(child.id)
    // What is gone from here on makes room, so that what stays need not be moved: a node that is moved loses the focus.
    while (at && at !== same && (same || child.id) && at.id && !coming.has(at.id)) at = drop(at)
    if (same) {
      if (same !== at) old.insertBefore(same, at)
      else at = at.nextSibling
      morph(same, child)
    } else if (child.id || !at || at.id) {
      old.insertBefore(document.importNode(child, true), at)
    } else {
      const next = at.nextSibling
      morph(at, child)
      at = next
    }
  }
  while (at) at = drop(at)
}

function drop(node) {
  const next = node.nextSibling
  node.remove()
  return next
}

pause.addEventListener('click', () => {
  paused = !paused
  pause.setAttribute('aria-pressed', String(paused))
  connect()
})
document.addEventListener('visibilitychange', connect)
bar.hidden = false
connect()
