// Web Mercator in a unit square; the view is a viewBox over it.
const X = lon => (lon + 180) / 360, Y = lat => (1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2
const LON = x => x * 360 - 180, LAT = y => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI
const K = 1e4, NS = 'http://www.w3.org/2000/svg'
const HALF = 20037508.34
const kept = new WeakMap()
const isDark = colour => { const parts = [1, 3, 5].map(i => parseInt(colour.trim().slice(i, i + 2), 16)); return parts[0] + parts[1] + parts[2] < 384 }
export default function ({ parentElement, data, setStateValue }) {
  const svg = parentElement.querySelector('svg'), out = parentElement.querySelector('output')
  let view = kept.get(svg)
  if (!view) {
    view = { x: X(-8.3) * K, y: Y(61) * K, w: (X(2.4) - X(-8.3)) * K, h: (Y(49.8) - Y(61)) * K, at: null, focus: null }
    view.all = [view.x, view.y, view.w, view.h]
    kept.set(svg, view)
    svg.setAttribute('aria-label', data.label)
    view.ground = svg.appendChild(document.createElementNS(NS, 'image'))
    view.ground.setAttribute('preserveAspectRatio', 'none')
  }
  view.send = setStateValue
  const pin = svg.querySelector('.pin') || svg.appendChild(document.createElementNS(NS, 'circle'))
  pin.setAttribute('class', 'pin')
  // The ground of what is seen, drawn by the portal; the former picture stays until the next is there.
  const drawGround = () => {
    const { left, top, right, bottom, width, height } = svg.getBoundingClientRect(), matrix = svg.getScreenCTM()
    if (!width || !matrix) return
    const corner = (x, y) => new DOMPoint(x, y).matrixTransform(matrix.inverse()), from = corner(left, top), to = corner(right, bottom)
    const metres = part => (part / K * 2 - 1) * HALF, box = [metres(from.x), -metres(to.y), metres(to.x), -metres(from.y)]
    const dark = isDark(getComputedStyle(svg).getPropertyValue('--st-background-color'))
    const query = new URLSearchParams({ request: 'GetMap', layers: dark ? 'dark' : 'light', bbox: box.map(edge => edge.toFixed(0)).join(), width: Math.round(width), height: Math.round(height) })
    const picture = new Image()
    picture.onload = () => {
      view.ground.setAttribute('href', picture.src)
      for (const [name, value] of Object.entries({ x: from.x, y: from.y, width: to.x - from.x, height: to.y - from.y })) view.ground.setAttribute(name, value)
    }
    picture.src = `${data.base}?${query}`
  }
  const show = () => {
    svg.setAttribute('viewBox', [view.x, view.y, view.w, view.h].join(' '))
    const scale = view.w / svg.clientWidth > view.h / svg.clientHeight ? view.w / svg.clientWidth : view.h / svg.clientHeight
    pin.setAttribute('r', view.at ? 8 * scale : 0)
    if (view.at) { pin.setAttribute('cx', X(view.at[0]) * K); pin.setAttribute('cy', Y(view.at[1]) * K) }
    clearTimeout(view.waiting)
    view.waiting = setTimeout(drawGround, 200)
    out.textContent = view.at ? view.at[1].toFixed(5) + ', ' + view.at[0].toFixed(5) : ''
  }
  const given = data.longitude == null ? null : [data.longitude, data.latitude]
  if (JSON.stringify(given) !== view.given) { view.given = JSON.stringify(given); view.at = given }
  const focus = JSON.stringify(data.focus)
  if (data.focus && focus !== view.focus) {
    const [lon, lat] = data.focus, w = 0.3 / 360 * K, h = w * svg.clientHeight / Math.max(svg.clientWidth, 1)
    Object.assign(view, { focus, w, h, x: X(lon) * K - w / 2, y: Y(lat) * K - h / 2 })
  }
  const point = e => new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse())
  const put = p => { view.at = [+LON(p.x / K).toFixed(5), +LAT(p.y / K).toFixed(5)]; show(); view.send('position', { longitude: view.at[0], latitude: view.at[1] }) }
  const zoom = (f, p) => {
    p = p || { x: view.x + view.w / 2, y: view.y + view.h / 2 }
    f = Math.min(f, view.all[2] / view.w); f = Math.max(f, view.all[2] / 400 / view.w)
    view.x = p.x - (p.x - view.x) * f; view.y = p.y - (p.y - view.y) * f; view.w *= f; view.h *= f; show()
  }
  let down = null; const touches = new Map()
  svg.onpointerdown = e => { touches.set(e.pointerId, e); down = { e, p: point(e), moved: false }; svg.setPointerCapture(e.pointerId) }
  svg.onpointermove = e => {
    if (!touches.has(e.pointerId)) return
    if (touches.size === 2) {
      const gap = () => { const [a, b] = [...touches.values()]; return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) }
      const before = gap(); touches.set(e.pointerId, e); down.moved = true; zoom(before / Math.max(gap(), 1)); return
    }
    if (Math.hypot(e.clientX - down.e.clientX, e.clientY - down.e.clientY) > 5) down.moved = true
    if (down.moved) { const q = point(e); view.x += down.p.x - q.x; view.y += down.p.y - q.y; show() }
    touches.set(e.pointerId, e)
  }
  svg.onpointerup = e => { touches.delete(e.pointerId); if (down && !down.moved) put(point(e)); if (!touches.size) down = null }
  svg.onpointercancel = e => { touches.delete(e.pointerId); down = null }
  svg.onwheel = e => { e.preventDefault(); zoom(e.deltaY > 0 ? 1.25 : 0.8, point(e)) }
  svg.onkeydown = e => {
    const step = view.w / 40, move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[e.key]
    if (move) {
      e.preventDefault()
      const from = view.at ? { x: X(view.at[0]) * K, y: Y(view.at[1]) * K } : { x: view.x + view.w / 2, y: view.y + view.h / 2 }
      put({ x: from.x + move[0], y: from.y + move[1] })
    } else if (e.key === '+' || e.key === '=') zoom(0.7); else if (e.key === '-') zoom(1.4)
  }
  parentElement.querySelector('.in').onclick = () => zoom(0.6, view.at && { x: X(view.at[0]) * K, y: Y(view.at[1]) * K })
  parentElement.querySelector('.out').onclick = () => zoom(1.6)
  parentElement.querySelector('.all').onclick = () => { [view.x, view.y, view.w, view.h] = view.all; show() }
  show()
}
