// One list of records. The register sorts and pages it; nothing is sorted here, where only one page of it is.
const memories = new WeakMap()
const tag = (name, attributes = {}, ...children) => {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value == null || value === '') continue
    if (key.startsWith('on')) node[key] = value
    else node.setAttribute(key, value === true ? '' : value)
  }
  node.append(...children.filter(child => child != null && child !== ''))
  return node
}
// Short words, numbers and dates are never broken; long texts get room, and are whole on hover.
const LONG = 80
const fit = text => text.length > LONG ? 'long' : /^\S{1,20}$|^.{1,11}$|^\d{1,2} \w{3} \d{4}/.test(text) ? 'whole' : ''
const typing = event => event.composedPath().some(node => node.matches?.('input:not([type=checkbox]), textarea, select, [contenteditable=true]'))

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector('.list')
  let memory = memories.get(root)
  if (!memory) memories.set(root, memory = { ticked: new Set(data.ticked), pending: [], anchor: null })
  memory.send = setStateValue
  memory.trigger = setTriggerValue
  adoptTicks(memory, data)
  const { file, ticked, pinned, ...lasting } = data
  const drawn = JSON.stringify(lasting)
  if (memory.drawn !== drawn) {
    memory.drawn = drawn
    draw(root, memory, data)
  } else showTicks(root, memory)
  if (file && memory.press !== file.press) {
    memory.press = file.press
    save(file)
  }
  if (pinned && memory.pinned !== pinned) {
    memory.pinned = pinned
    goTo(pinned, true)
  }
  const keys = event => walk(event, root)
  document.addEventListener('keydown', keys)
  return () => document.removeEventListener('keydown', keys)
}

// Ticks that the register echoes are older than what was ticked meanwhile; what it says beside that is taken over.
function adoptTicks(memory, data) {
  const place = memory.pending.indexOf(JSON.stringify(data.ticked))
  if (place >= 0) memory.pending.splice(0, place + 1)
  else if (!memory.pending.length) memory.ticked = new Set(data.ticked)
}

function draw(root, memory, data) {
  const focused = root.getRootNode().activeElement
  const focusedRow = focused?.closest('tr')?.dataset.id
  const focusedOrder = focused?.dataset.column
  const top = root.querySelector('.frame')?.scrollTop || 0
  const same = memory.order === data.order
  memory.order = data.order
  const status = tag('output', { role: 'status' })
  const bar = tag('div', { class: 'bar' }, status,
    data.views ? viewMenu(memory, data) : null,
    tag('button', { type: 'button', onclick: () => copyLink(status) }, 'Copy link'),
    data.csv ? tag('button', { type: 'button', onclick: () => memory.trigger('file', Date.now()) }, 'Download CSV') : null)
  const headings = data.columns.map((column, place) => heading(memory, data, column, place))
  const all = data.several ? tag('th', { class: 'tick', scope: 'col' }, tag('input', {
    type: 'checkbox', class: 'all', 'aria-label': 'Select all rows on this page',
    onclick: event => tickMany(root, memory, data.rows.map(row => row.i), event.target.checked),
  })) : null
  const body = tag('tbody', { role: 'rowgroup' }, ...data.rows.map(row => line(root, memory, data, row)))
  const table = tag('table', { role: 'table', 'aria-label': data.name },
    tag('thead', { role: 'rowgroup' }, tag('tr', { role: 'row' }, all, ...headings)), body)
  const frame = tag('div', { class: 'frame', style: `max-height:${data.height}px`, tabindex: 0, role: 'region', 'aria-label': data.name }, table)
  root.replaceChildren(bar, frame)
  showTicks(root, memory)
  if (same) frame.scrollTop = top
  if (focusedRow) rowOf(root, focusedRow)?.querySelector('a, .go, input')?.focus({ preventScroll: true })
  else if (focusedOrder) root.querySelector(`th button[data-column="${focusedOrder}"]`)?.focus({ preventScroll: true })
}

function heading(memory, data, column, place) {
  const sorted = data.order && (data.order === column.u ? 'ascending' : data.order === column.d ? 'descending' : '')
  const text = tag('span', column.h ? { class: 'term', title: column.h } : {}, column.t)
  const classes = [column.n ? 'n' : '', column.u || column.d ? 'sorts' : ''].join(' ').trim()
  const attributes = { class: classes, scope: 'col', role: 'columnheader', 'aria-sort': sorted || false }
  if (!column.u && !column.d) return tag('th', attributes, text)
  const next = sorted === 'ascending' ? column.d || column.u : sorted === 'descending' ? column.u || column.d : column.u || column.d
  const mark = sorted === 'ascending' ? '▲' : sorted === 'descending' ? '▼' : ''
  return tag('th', attributes, tag('button', {
    type: 'button', 'data-column': place, title: column.h ? `${column.h} Click to sort.` : 'Sort the whole list by this',
    onclick: () => memory.trigger('order', next),
  }, text, mark && tag('span', { class: 'mark', 'aria-hidden': 'true' }, mark)))
}

function line(root, memory, data, row) {
  const opens = Boolean(row.a) || data.opens === 'open'
  const open = () => memory.trigger(data.opens, row.i)
  const cells = row.c.map((cell, place) => {
    const column = data.columns[place]
    const value = typeof cell === 'string' ? { t: cell } : cell
    const attributes = { role: 'cell', class: [column.n ? 'n' : '', place === data.place ? 'name' : '', fit(value.t)].join(' ').trim(), 'data-label': column.t, title: value.x || (value.t.length > LONG ? value.t : '') }
    return tag('td', attributes, place === data.place && opens ? nameLink(memory, row, value, open) : content(value))
  })
  if (data.several) cells.unshift(tag('td', { class: 'tick', role: 'cell' }, tag('input', {
    type: 'checkbox', 'aria-label': `Select ${row.c[data.place].t ?? row.c[data.place]}`,
    onclick: event => tickTo(root, memory, data, row.i, event),
  })))
  const node = tag('tr', { role: 'row', 'data-id': row.i, class: [opens ? 'opens' : '', data.marked === row.i ? 'marked' : ''].join(' ').trim() }, ...cells)
  if (opens) node.onclick = event => {
    if (event.target.closest('a, button, input, .tick') || getSelection().toString()) return
    if (event.ctrlKey || event.metaKey) { if (row.a) window.open(row.a, '_blank', 'noopener') } else open()
  }
  return node
}

function content(value) {
  if (!value.c) return value.t.length > LONG ? tag('div', { class: 'clamp' }, value.t) : document.createTextNode(value.t)
  return tag('span', { class: `pill ${value.c}` }, value.s ? tag('i', { 'aria-hidden': 'true' }, value.s) : null, value.t)
}

// A plain click stays in this page's session; with Ctrl, Shift or the middle button the browser opens the address itself.
function nameLink(memory, row, value, open) {
  if (!row.a) return tag('button', { type: 'button', class: 'go', onclick: open }, value.t)
  return tag('a', {
    href: row.a,
    onclick: event => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
      event.preventDefault()
      memory.trigger('visit', row.i)
    },
  }, value.t)
}

const rowOf = (root, id) => [...root.querySelectorAll('tbody tr')].find(node => node.dataset.id === id)

function tickTo(root, memory, data, id, event) {
  const ids = data.rows.map(row => row.i)
  const here = ids.indexOf(id), from = event.shiftKey && memory.anchor ? ids.indexOf(memory.anchor) : here
  memory.anchor = id
  tickMany(root, memory, ids.slice(Math.min(from, here), Math.max(from, here) + 1), event.target.checked)
}

function tickMany(root, memory, ids, on) {
  for (const id of ids) on ? memory.ticked.add(id) : memory.ticked.delete(id)
  const ticked = [...memory.ticked]
  memory.pending.push(JSON.stringify(ticked))
  showTicks(root, memory)
  memory.send('ticked', ticked)
}

function showTicks(root, memory) {
  const boxes = [...root.querySelectorAll('tbody .tick input')]
  for (const box of boxes) box.checked = memory.ticked.has(box.closest('tr').dataset.id)
  const all = root.querySelector('.all')
  if (!all) return
  const count = boxes.filter(box => box.checked).length
  all.checked = count > 0 && count === boxes.length
  all.indeterminate = count > 0 && count < boxes.length
}

// J and K, or the arrows inside the list, go from row to row; Enter opens by the link's own nature.
function walk(event, root) {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event)) return
  const inside = event.composedPath().includes(root)
  const step = { j: 1, k: -1, ...(inside ? { ArrowDown: 1, ArrowUp: -1 } : {}) }[event.key]
  if (!step || (!inside && (document.querySelector('[role=dialog]') || !isFirst(root)))) return
  const rows = [...root.querySelectorAll('tbody tr')]
  const place = rows.findIndex(row => row.contains(root.getRootNode().activeElement))
  const row = rows[Math.min(Math.max(place < 0 ? 0 : place + step, 0), rows.length - 1)]
  const target = row?.querySelector('a, .go') || row?.querySelector('input')
  if (!target) return
  event.preventDefault()
  target.focus()
  row.scrollIntoView({ block: 'nearest' })
}

// Of several lists on a page, the first in sight takes the keys.
function isFirst(root) {
  const hosts = [...document.querySelectorAll('[data-testid="stBidiComponent"], [data-testid="stBidiComponentRegular"], [data-testid="stBidiComponentIsolated"]')]
  const first = hosts.map(host => host.querySelector('.list') || host.shadowRoot?.querySelector('.list') ||
    [...host.querySelectorAll('*')].map(node => node.shadowRoot?.querySelector('.list')).find(Boolean)).find(Boolean)
  return !first || first === root
}

// Views are one's own: opened by name, one of them pinned, so that the page opens with it.
function viewMenu(memory, data) {
  const ask = request => memory.trigger('view', { ...request, at: Date.now() })
  const lines = data.views.map(view => tag('li', {},
    tag('a', {
      href: addressOf(view.query),
      onclick: event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        memory.views = false
        menu.open = false
        goTo(view.query)
      },
    }, view.name),
    tag('button', {
      type: 'button', 'aria-pressed': String(view.pinned), title: view.pinned ? 'The page opens with this view. Click to unpin it.' : 'Open the page with this view',
      'aria-label': `Pin ${view.name}`, onclick: () => ask({ act: 'pin', id: view.id, pinned: !view.pinned }),
    }, view.pinned ? '★' : '☆'),
    tag('button', { type: 'button', title: 'Delete this view', 'aria-label': `Delete ${view.name}`, onclick: () => ask({ act: 'delete', id: view.id }) }, '✕')))
  const input = tag('input', { type: 'text', maxlength: 60, 'aria-label': 'Name of the view', placeholder: 'Name of this view' })
  const form = tag('form', { onsubmit: event => { event.preventDefault(); if (input.value.trim()) ask({ act: 'save', name: input.value }) } },
    input, tag('button', { type: 'submit' }, 'Save'))
  const menu = tag('details', { class: 'views', open: memory.views, ontoggle: event => { memory.views = event.target.open } },
    tag('summary', {}, 'Views'),
    tag('div', { class: 'menu' }, lines.length ? tag('ul', {}, ...lines) : tag('p', {}, 'Save these filters and their order under a name.'), form))
  menu.onkeydown = event => { if (event.key === 'Escape') { menu.open = false; menu.querySelector('summary').focus() } }
  return menu
}

function addressOf(query) {
  const lasting = new URLSearchParams()
  for (const name of ['as', 'present']) if (new URLSearchParams(location.search).has(name)) lasting.set(name, new URLSearchParams(location.search).get(name))
  const text = [lasting.toString(), query].filter(Boolean).join('&')
  return location.pathname + (text ? `?${text}` : '')
}

// Going as Back goes: only then do fields that are bound to the address take their values from it.
function goTo(query, instead = false) {
  history[instead ? 'replaceState' : 'pushState'](history.state, '', addressOf(query))
  window.dispatchEvent(new PopStateEvent('popstate', { state: history.state }))
}

async function copyLink(status) {
  const address = new URL(location.href)
  address.searchParams.delete('as')
  try {
    await navigator.clipboard.writeText(address.href)
    status.textContent = 'Link copied, with its filters.'
  } catch {
    window.prompt('Copy this link', address.href)
  }
  setTimeout(() => { status.textContent = '' }, 4000)
}

function save(file) {
  const address = URL.createObjectURL(new Blob([file.text], { type: 'text/csv;charset=utf-8' }))
  tag('a', { href: address, download: file.name }).click()
  setTimeout(() => URL.revokeObjectURL(address), 10000)
}
