// Web Mercator in a unit square; the view is a viewBox over it.
const X = lon => (lon + 180) / 360, Y = lat => (1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2
const LON = x => x * 360 - 180, LAT = y => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI
const K = 1e4, NS = 'http://www.w3.org/2000/svg'
const kept = new WeakMap()
export default function ({ parentElement, data, setStateValue }) {
  const svg = parentElement.querySelector('svg'), out = parentElement.querySelector('output')
  let view = kept.get(svg)
  if (!view) {
    view = { x: X(-8.3) * K, y: Y(61) * K, w: (X(2.4) - X(-8.3)) * K, h: (Y(49.8) - Y(61)) * K, url: null, at: null }
    view.all = [view.x, view.y, view.w, view.h]
    kept.set(svg, view)
    svg.setAttribute('aria-label', data.label)
    fetch(data.base).then(r => r.json()).then(geo => {
      for (const f of geo.features) {
        const rings = f.geometry.type === 'Polygon' ? [f.geometry.coordinates] : f.geometry.coordinates
        const d = rings.flat().map(r => 'M' + r.map(([a, b]) => (X(a) * K).toFixed(3) + ' ' + (Y(b) * K).toFixed(3)).join('L') + 'Z').join('')
        const p = document.createElementNS(NS, 'path'); p.setAttribute('d', d)
        const t = document.createElementNS(NS, 'title'); t.textContent = f.properties.name || ''; p.append(t); svg.prepend(p)
      }
    })
  }
  view.send = setStateValue
  const pin = svg.querySelector('.pin') || svg.appendChild(document.createElementNS(NS, 'circle'))
  pin.setAttribute('class', 'pin')
  const show = () => {
    svg.setAttribute('viewBox', [view.x, view.y, view.w, view.h].join(' '))
    const scale = view.w / svg.clientWidth > view.h / svg.clientHeight ? view.w / svg.clientWidth : view.h / svg.clientHeight
    pin.setAttribute('r', view.at ? 8 * scale : 0)
    if (view.at) { pin.setAttribute('cx', X(view.at[0]) * K); pin.setAttribute('cy', Y(view.at[1]) * K) }
    out.textContent = view.at ? view.at[1].toFixed(5) + ', ' + view.at[0].toFixed(5) : ''
  }
  const given = data.longitude == null ? null : [data.longitude, data.latitude]
  if (JSON.stringify(given) !== view.given) { view.given = JSON.stringify(given); view.at = given }
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
