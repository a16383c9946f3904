// The search at the top: a combobox over pages, which are known here, and records, which the register finds.
const WAIT_MS = 160
const MOST_PAGES = 7
const states = new WeakMap()

const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties)
  element.append(...children)
  return element
}

const matches = (title, text) => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const lowered = title.toLowerCase()
  return words.every(word => lowered.includes(word))
}

const href = (address, query) => {
  const search = new URLSearchParams(query || {}).toString()
  return `/${address}${search ? `?${search}` : ''}`
}

class Palette {
  constructor (root) {
    this.input = root.querySelector('input')
    this.list = root.querySelector('[role=listbox]')
    this.status = root.querySelector('output')
    this.items = []
    this.at = -1
    this.timer = 0
    this.input.oninput = () => this.type()
    this.input.onfocus = () => this.draw()
    this.input.onkeydown = event => this.press(event)
    root.addEventListener('focusout', event => { if (!root.contains(event.relatedTarget)) this.close() })
    // A press on a result must not take the focus away before the click arrives.
    this.list.onmousedown = event => event.preventDefault()
    this.list.onclick = event => {
      const item = event.target.closest('[role=option]')
      if (item && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); this.open(this.items[+item.dataset.place]) }
    }
  }

  update (data, setTriggerValue) {
    this.data = data
    this.send = setTriggerValue
    if (document.activeElement === this.input && data.text && data.text === this.text()) this.draw()
  }

  text () { return this.input.value.trim() }

  type () {
    clearTimeout(this.timer)
    this.at = -1
    this.draw()
    if (this.text().length >= 2) this.timer = setTimeout(() => this.send('typed', this.text()), WAIT_MS)
  }

  gather () {
    const text = this.text()
    const places = [...this.data.pages, ...(window.fmar?.actions ?? [])]
    const pages = places.filter(page => matches(`${page.title} ${page.words || ''}`, text)).slice(0, text ? MOST_PAGES : 40)
    const records = text && this.data.text === text ? this.data.records : []
    return text ? [...records, ...pages] : pages
  }

  draw () {
    this.items = this.gather()
    const text = this.text()
    const rows = []
    let group = ''
    this.items.forEach((item, place) => {
      if (item.group !== group) { group = item.group; rows.push(make('div', { className: 'group', textContent: group, role: 'presentation' })) }
      const row = make('a', { className: 'item', href: item.run ? '#' : href(item.address, item.query), tabIndex: -1, id: `fmar-hit-${place}` },
        make('span', { className: 'title', textContent: item.title }),
        make('span', { className: 'about', textContent: item.about || '' }))
      row.setAttribute('role', 'option')
      row.setAttribute('aria-selected', String(place === this.at))
      row.dataset.place = String(place)
      rows.push(row)
    })
    const waiting = text.length >= 2 && this.data.text !== text
    if (text && !waiting) rows.push(make('div', { className: 'hint', textContent: this.data.more ? 'Enter: all results' : this.items.length ? '' : 'Nothing that you may see fits.' }))
    this.list.replaceChildren(...rows)
    this.list.hidden = !rows.length
    this.input.setAttribute('aria-expanded', String(!this.list.hidden))
    this.status.textContent = waiting ? 'Searching' : `${this.items.length} results`
    this.mark()
  }

  mark () {
    this.list.querySelectorAll('[role=option]').forEach((row, place) => {
      row.setAttribute('aria-selected', String(place === this.at))
      if (place === this.at) row.scrollIntoView({ block: 'nearest' })
    })
    if (this.at < 0) this.input.removeAttribute('aria-activedescendant')
    else this.input.setAttribute('aria-activedescendant', `fmar-hit-${this.at}`)
  }

  press (event) {
    const count = this.items.length
    if (event.key === 'ArrowDown' && count) { event.preventDefault(); this.at = (this.at + 1) % count; this.mark() }
    else if (event.key === 'ArrowUp' && count) { event.preventDefault(); this.at = this.at <= 0 ? count - 1 : this.at - 1; this.mark() }
    else if (event.key === 'Enter') {
      event.preventDefault()
      if (this.at >= 0) this.open(this.items[this.at])
      else if (this.text()) this.ask(this.text())
    } else if (event.key === 'Escape') { this.input.value = ''; this.close(); this.input.blur() }
  }

  ask (text) { this.leave(); this.send('asked', text) }

  open (item) {
    this.leave()
    if (item.run) item.run()
    else this.send('opened', { address: item.address, query: item.query || {} })
  }

  leave () { clearTimeout(this.timer); this.input.value = ''; this.close(); this.input.blur() }

  close () { this.at = -1; this.list.hidden = true; this.input.setAttribute('aria-expanded', 'false') }
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector('.fmar-palette')
  let palette = states.get(root)
  if (!palette) { palette = new Palette(root); states.set(root, palette) }
  palette.update(data, setTriggerValue)
}
