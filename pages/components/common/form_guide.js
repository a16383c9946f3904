// Leads through a form: the summary of mistakes takes the focus, its links go to the fields, fields in error are marked.
const memories = new WeakMap()
const fieldOf = name => document.querySelector(`.${CSS.escape(name)}`)
const inputsOf = field => [...field.querySelectorAll('input, textarea, [role=combobox], [role=spinbutton], button')]

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector('.guide')
  let memory = memories.get(root)
  if (!memory) memories.set(root, memory = { press: '', marked: [] })
  let style = document.getElementById('fmar-form-marks')
  if (!style) document.head.append(style = Object.assign(document.createElement('style'), { id: 'fmar-form-marks' }))
  const errors = data.errors.map(name => `.${CSS.escape(name)}`)
  style.textContent = `${errors.length ? `${errors.join(',')}{border-left:4px solid #B3261E;padding-left:.6rem}` : ''}
    *:has(> .st-key-${CSS.escape(data.close)}){position:sticky;bottom:0;z-index:20;padding:.6rem 0;border-top:1px solid #8885;background:${getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor}}
    @media print{.st-key-${CSS.escape(data.close)}{display:none}}`
  const marking = setTimeout(() => {
    for (const input of memory.marked) input.removeAttribute('aria-invalid')
    memory.marked = data.errors.map(fieldOf).filter(Boolean).flatMap(inputsOf).filter(input => input.tagName !== 'BUTTON')
    for (const input of memory.marked) input.setAttribute('aria-invalid', 'true')
  }, 300)
  if (data.press && memory.press !== data.press) {
    memory.press = data.press
    setTimeout(() => focusSummary(data.summary), 400)
  }
  const follow = event => {
    const link = event.target.closest?.('a[href*="#st-key-"]')
    if (!link) return
    const name = decodeURIComponent(link.getAttribute('href').split('#')[1])
    const field = fieldOf(name)
    const place = field || document.getElementById(data.groups[name] || '')
    if (!place) return
    event.preventDefault()
    event.stopPropagation()
    place.scrollIntoView({ block: 'center' })
    const target = field && (inputsOf(field).find(input => input.tagName !== 'BUTTON') || inputsOf(field)[0])
    target?.focus({ preventScroll: true })
  }
  document.addEventListener('click', follow, true)
  return () => {
    clearTimeout(marking)
    document.removeEventListener('click', follow, true)
    style.textContent = ''
  }
}

function focusSummary(name) {
  const summary = fieldOf(name)
  if (!summary) return
  summary.tabIndex = -1
  summary.setAttribute('role', 'alert')
  summary.style.outlineOffset = '4px'
  summary.style.scrollMarginTop = '7rem'
  summary.focus({ preventScroll: true })
  summary.scrollIntoView({ block: 'start' })
}
