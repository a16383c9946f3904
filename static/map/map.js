// The portal's map: Leaflet on canvases over our own ground, drawn without a graphics card. Called anew at every run of a page.
import './leaflet.js'

const L = globalThis.leaflet
const FOLDER = new URL('.', import.meta.url).href
const GB = [[49.85, -8.2], [60.9, 1.9]]
const SHADES = {
  light: { sea: '#dbe8f0', land: '#fbfaf6', other: '#eeeee9', coast: '#7390a5', border: '#8d9fae', supply: '#c3ccd3', rail: '#b9a795' },
  dark: { sea: '#0d1a24', land: '#223039', other: '#18242d', coast: '#7f9bb0', border: '#71879a', supply: '#435563', rail: '#75685a' }
}
const LEAST_PEOPLE = [[6, 300e3], [7, 120e3], [8, 45e3], [9, 18e3], [10, 7e3], [11, 2e3], [99, 0]]
const SUPPLY_ZOOM = 9, AREA_ZOOM = 8, OUTCODE_ZOOM = 10.5
const maps = new WeakMap()

const fetched = new Map()
const load = (name, kind) => {
  if (!fetched.has(name)) {
    const answer = fetch(FOLDER + name).then(reply => reply.ok ? reply[kind]() : Promise.reject(new Error(name)))
    answer.catch(() => fetched.delete(name))
    fetched.set(name, answer)
  }
  return fetched.get(name)
}
const styles = Promise.all([load('leaflet.css', 'text'), load('map.css', 'text')]).then(texts => texts.map(text => {
  const sheet = new CSSStyleSheet()
  // Leaflet's pictures belong to controls that are not used here.
  sheet.replaceSync(text.replace(/url\([^)]*\)/g, 'none'))
  return sheet
}))
const ground = load('ground.json', 'json').then(unpack)
const DEGREE = 1e4

// Lines are kept as [longitude, latitude, and the steps from point to point], in ten-thousandths of a degree.
function unpackLine (steps) {
  const line = []
  let x = 0, y = 0
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i]; y += steps[i + 1]
    line.push(new L.LatLng(y / DEGREE, x / DEGREE))
  }
  return line
}

function unpack (packed) {
  const lines = list => list.map(unpackLine)
  const groups = Object.fromEntries(Object.entries(packed.groups).map(([code, parts]) => [code, parts.map(part => [unpackLine(part)])]))
  const names = { ...packed.names }
  for (const kind of Object.keys(names)) {
    names[kind] = names[kind].map(([text, lat, lon, size]) => ({ text, size, at: new L.LatLng(lat / DEGREE, lon / DEGREE) }))
  }
  const land = packed.land.map(part => [unpackLine(part)]), other = packed.other.map(part => [unpackLine(part)])
  return { land, other, groups, borders: lines(packed.borders), supply: lines(packed.supply), rail: lines(packed.rail), names }
}

const rgb = colour => `rgb(${colour.slice(0, 3).join(',')})`
const element = (tag, name, parent) => { const made = document.createElement(tag); made.className = name; parent?.append(made); return made }

class Portal {
  constructor (parent) {
    this.parent = parent
    this.box = parent.querySelector('.map')
    this.sent = {}
    this.layers = {}
    this.dark = this.isDark()
    this.shade = SHADES[this.dark ? 'dark' : 'light']
    this.box.classList.toggle('dark', this.dark)
    this.box.style.background = this.shade.sea
  }

  // Light or dark is the theme's background, whatever a reader chose.
  isDark () {
    const colour = getComputedStyle(this.box).getPropertyValue('--st-background-color').trim()
    const parts = colour.startsWith('#') ? [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16)) : (colour.match(/[\d.]+/g) || [255, 255, 255]).map(Number)
    return parts[0] * 0.3 + parts[1] * 0.6 + parts[2] * 0.1 < 128
  }

  start (data, base) {
    this.base = base
    this.data = data
    const map = this.map = L.map(this.box, {
      preferCanvas: true, zoomSnap: 0.25, zoomDelta: 1, wheelPxPerZoomLevel: 90, minZoom: 4.5, maxZoom: 16, zoomControl: false, attributionControl: false,
      maxBounds: [[45, -20], [65, 14]], maxBoundsViscosity: 0.6, keyboard: !data.pin, doubleClickZoom: !data.pin, fadeAnimation: false, markerZoomAnimation: true
    })
    for (const [name, depth] of [['ground', 200], ['data', 400], ['marks', 420], ['names', 450]]) {
      map.createPane(name).style.zIndex = depth
      if (name !== 'data') map.getPane(name).style.pointerEvents = 'none'
    }
    this.groundCanvas = L.canvas({ pane: 'ground', padding: 0.4 })
    this.canvas = L.canvas({ pane: 'data', padding: 0.3, tolerance: L.Browser.mobile ? 8 : 3 })
    this.markCanvas = L.canvas({ pane: 'marks', padding: 0.3 })
    this.tip = element('div', 'tip', this.box)
    this.tip.setAttribute('role', 'status')
    this.things = L.featureGroup().addTo(map)
    this.things.on('mouseover', event => this.point(event)).on('mousemove', event => this.moveTip(event)).on('mouseout', () => this.unpoint())
    this.things.on('click', event => { L.DomEvent.stopPropagation(event); this.point(event); this.pick(event.propagatedFrom || event.layer) })
    this.labels = L.layerGroup().addTo(map)
    this.marks = L.layerGroup().addTo(map)
    this.drawn = new Map()
    this.place(data)
    this.drawGround()
    this.addControls(data)
    map.on('zoomend moveend resize', () => { this.keepPlace(); this.drawNames() })
    map.on('zoomend', () => this.drawDetail())
    map.on('dragstart', () => { this.moved = true })
    this.box.addEventListener('wheel', () => { this.moved = true }, { passive: true })
    if (data.pin) this.startPin()
    this.watch = new ResizeObserver(() => map.invalidateSize({ animate: false }))
    this.watch.observe(this.box)
  }

  // ---- where it looks
  storage () { return `fmar-map-${this.data.name}` }

  keepPlace () {
    if (!this.moved || this.placing) return
    const { lat, lng } = this.map.getCenter()
    try { sessionStorage.setItem(this.storage(), JSON.stringify([lat, lng, this.map.getZoom(), JSON.stringify(this.data.focus || null)])) } catch { /* a browser that keeps nothing begins anew */ }
  }

  place (data) {
    const focus = JSON.stringify(data.focus || null)
    if (this.focus === undefined) {
      let kept = null
      try { kept = JSON.parse(sessionStorage.getItem(this.storage())) } catch { /* nothing was kept */ }
      if (kept && kept[3] === focus) {
        this.moved = true
        this.focus = focus
        this.look(() => this.map.setView([kept[0], kept[1]], kept[2], { animate: false }))
        return
      }
    }
    const fresh = this.focus === undefined
    if (focus !== this.focus) {
      this.focus = focus
      if (data.focus) { this.moved = true; this.look(() => this.lookAt(data.focus, !fresh)); return }
    }
    if (!this.moved) this.fit(false)
  }

  look (act) { this.placing = true; act(); this.placing = false; this.placed = true }

  lookAt (focus, animate) {
    if (focus.bounds) this.map.fitBounds(focus.bounds, { padding: [20, 20], maxZoom: focus.zoom || 13, animate })
    else if (!(focus.keep && this.placed && this.map.getBounds().pad(-0.1).contains(focus.at))) this.map.setView(focus.at, focus.zoom || 10, { animate })
  }

  fit (animate) {
    const bounds = this.data.fit || GB
    this.look(() => this.map.fitBounds(bounds, { padding: [14, 14], maxZoom: 10, animate }))
  }

  // ---- ground
  drawGround () {
    const { map, base, shade } = this, renderer = this.groundCanvas, quiet = { renderer, pane: 'ground', interactive: false }
    if (this.data.online) {
      L.tileLayer(this.data.online, { pane: 'ground', maxZoom: 19, tileSize: 256 }).addTo(map)
      return
    }
    const area = (parts, style) => L.polygon(parts, { ...quiet, smoothFactor: 0.8, ...style }).addTo(map)
    const line = (parts, style) => L.polyline(parts, { ...quiet, fill: false, smoothFactor: 1, ...style })
    area(base.other, { fillColor: shade.other, fillOpacity: 1, color: shade.border, weight: 0.6 })
    area(base.land, { fillColor: shade.land, fillOpacity: 1, color: shade.coast, weight: 1.2 })
    this.rail = line(base.rail, { color: shade.rail, weight: 1 })
    this.supply = line(base.supply, { color: shade.supply, weight: 1, dashArray: '2 3' })
    line(base.borders, { color: shade.border, weight: 1.2, dashArray: '6 3' }).addTo(map)
    this.drawDetail()
  }

  // Rail from a region on, borders of grid supply points from a county on.
  drawDetail () {
    const zoom = this.map.getZoom()
    const toggle = (layer, shown) => { if (layer && shown !== this.map.hasLayer(layer)) shown ? layer.addTo(this.map) : layer.remove() }
    toggle(this.rail, zoom >= 6.5 && !this.data.groups)
    toggle(this.supply, zoom >= SUPPLY_ZOOM)
  }

  // Names that there is room for: what matters more first, none over another.
  drawNames () {
    const { map, base, data } = this, zoom = map.getZoom(), bounds = map.getBounds().pad(0.1), placed = [], names = []
    const measure = Portal.pen || (Portal.pen = document.createElement('canvas').getContext('2d'))
    const least = LEAST_PEOPLE.find(([below]) => zoom < below)[1]
    const put = (name, kind, key, size, centred, dot) => {
      if (!bounds.contains(name.at)) return
      const { x, y } = map.latLngToContainerPoint(name.at)
      measure.font = `${size}px sans-serif`
      const width = measure.measureText(name.text).width + (kind === 'amount' ? 12 : 6), left = centred ? x - width / 2 : x - 4, top = y - size * 0.7
      const box = [left, top, left + width + (dot ? 6 : 0), top + size * 1.4]
      if (placed.some(other => other[0] < box[2] && box[0] < other[2] && other[1] < box[3] && box[1] < other[3])) return
      placed.push(box)
      names.push({ key: `${kind}-${key}`, name, kind, centred })
    }
    for (const label of data.labels || []) put({ text: label.t, at: L.latLng(label.p) }, 'amount', label.t, 12, true)
    if (!data.online) {
      const groups = () => { if (zoom < 9 && !data.labels) for (const name of base.names.groups) put(name, 'group', name.text, 11, true) }
      let grouped = false
      for (const name of base.names.towns) {
        if (name.size < least) break
        // The largest cities, the licence areas, and all others.
        if (!grouped && name.size < 500e3) { groups(); grouped = true }
        put(name, name.size >= 250e3 ? 'city' : name.size >= 40e3 ? 'town' : 'village', name.text + name.at.lat, name.size >= 250e3 ? 14 : 12, false, true)
      }
      if (zoom >= SUPPLY_ZOOM && !data.labels) for (const name of base.names.supply) put(name, 'supply', name.text, 10, true)
      if (zoom >= OUTCODE_ZOOM) for (const name of base.names.outcodes) put(name, 'postcode', name.text, 11, true)
      else if (zoom >= AREA_ZOOM) for (const name of base.names.areas) put(name, 'postcode', name.text, 11, true)
    }
    const keys = new Set(names.map(({ key }) => key))
    for (const [key, marker] of this.drawn) if (!keys.has(key)) { this.labels.removeLayer(marker); this.drawn.delete(key) }
    for (const { key, name, kind, centred } of names) {
      if (this.drawn.has(key)) continue
      const text = element('span', `name ${kind}${centred ? ' centred' : ''}`)
      text.textContent = name.text
      const marker = L.marker(name.at, { pane: 'names', interactive: false, keyboard: false, icon: L.divIcon({ html: text, className: '', iconSize: [0, 0] }) })
      this.drawn.set(key, marker)
      this.labels.addLayer(marker)
    }
  }

  // ---- controls
  addControls (data) {
    const { map } = this
    L.control.zoom({ position: 'topright' }).addTo(map)
    const buttons = L.control({ position: 'topright' })
    buttons.onAdd = () => {
      const bar = element('div', 'leaflet-bar'), button = element('a', 'fit', bar)
      Object.assign(button, { href: '#', role: 'button', title: data.pin ? 'Show all of Great Britain' : 'Fit to what is shown', textContent: '⤢' })
      button.setAttribute('aria-label', button.title)
      L.DomEvent.disableClickPropagation(bar)
      L.DomEvent.on(button, 'click', event => { L.DomEvent.stop(event); this.moved = false; try { sessionStorage.removeItem(this.storage()) } catch { /* nothing is kept */ } this.fit(true) })
      return bar
    }
    buttons.addTo(map)
    L.control.scale({ position: 'bottomleft', imperial: true, maxWidth: 90 }).addTo(map)
    const credits = L.control({ position: 'bottomright' })
    credits.onAdd = () => { const line = element('div', 'credits'); line.textContent = data.credits || 'Rail © OpenStreetMap · towns GeoNames · OS and NESO open data'; return line }
    credits.addTo(map)
    this.addSearch()
  }

  addSearch () {
    const search = L.control({ position: 'topleft' })
    search.onAdd = () => {
      const form = element('form', 'go'), input = element('input', '', form), list = element('datalist', '', form)
      list.id = 'fmar-map-places'
      Object.assign(input, { type: 'search', placeholder: 'Postcode or town', autocomplete: 'off' })
      input.setAttribute('list', list.id)
      input.setAttribute('aria-label', 'Go to a postcode or town')
      L.DomEvent.disableClickPropagation(form)
      L.DomEvent.disableScrollPropagation(form)
      // Keys typed here are no shortcuts of the page.
      for (const type of ['keydown', 'keyup', 'keypress']) form.addEventListener(type, event => event.stopPropagation())
      input.addEventListener('input', () => {
        form.classList.remove('unknown')
        list.replaceChildren(...this.matches(input.value).slice(0, 8).map(({ text }) => { const option = document.createElement('option'); option.value = text; return option }))
      })
      form.addEventListener('submit', event => {
        event.preventDefault()
        const [match] = this.matches(input.value)
        form.classList.toggle('unknown', !match)
        input.setAttribute('aria-invalid', String(!match))
        if (match) { this.moved = true; this.map.setView(match.at, match.zoom, { animate: false }) }
      })
      return form
    }
    search.addTo(this.map)
  }

  matches (typed) {
    const text = typed.trim().toUpperCase(), { towns, outcodes, areas } = this.base.names
    if (!text) return []
    const compact = text.replace(/\s+/g, ''), outward = compact.match(/^([A-Z]{1,2}[0-9][A-Z0-9]?)(?:[0-9][A-Z]{0,2})?$/)
    const codes = outward ? [...outcodes.filter(({ text: code }) => code === outward[1]), ...outcodes.filter(({ text: code }) => compact.startsWith(code)).sort((a, b) => b.text.length - a.text.length)] : []
    const begins = outcodes.filter(({ text: code }) => code.startsWith(compact))
    const inArea = areas.filter(({ text: code }) => code === compact)
    const named = towns.filter(({ text: name }) => name.toUpperCase().startsWith(text))
    const seen = new Set()
    const list = [...codes.map(name => ({ ...name, zoom: 12.5 })), ...inArea.map(name => ({ ...name, zoom: 9.5 })), ...named.map(name => ({ ...name, zoom: name.size > 2e5 ? 11 : 12.5 })), ...begins.map(name => ({ ...name, zoom: 12.5 }))]
    return list.filter(({ text: name, at }) => { const key = `${name}${at}`; if (seen.has(key)) return false; seen.add(key); return true })
  }

  // ---- what is pointed at, what is chosen
  point (event) {
    const layer = event.propagatedFrom || event.layer, about = layer?.about
    if (!about) return
    this.unpoint()
    this.pointed = layer
    layer.setStyle({ color: this.dark ? '#fff' : '#111', weight: 2, stroke: true })
    const title = element('b', ''), detail = element('div', '')
    title.textContent = about.t || ''; detail.textContent = about.d || ''
    this.tip.replaceChildren(title, detail)
    this.tip.classList.add('shown')
    this.moveTip(event)
  }

  moveTip (event) {
    if (!event.containerPoint) return
    const { x, y } = event.containerPoint, { clientWidth: width, clientHeight: height } = this.box, { offsetWidth, offsetHeight } = this.tip
    const left = x + 14 + offsetWidth > width ? x - 14 - offsetWidth : x + 14, top = y + 14 + offsetHeight > height ? y - 14 - offsetHeight : y + 14
    this.tip.style.transform = `translate(${Math.max(4, Math.min(left, width - offsetWidth - 4))}px, ${Math.max(4, top)}px)`
  }

  unpoint () {
    this.tip.classList.remove('shown')
    if (this.pointed) this.pointed.setStyle(this.pointed.usual)
    this.pointed = null
  }

  pick (layer) { if (layer?.about?.pick) this.send('picked', layer.about.pick) }

  thing (layer, about, usual, group) {
    layer.about = about
    layer.usual = usual
    group.addLayer(layer)
  }

  // ---- what is drawn upon the ground
  update (data) {
    const before = this.data
    this.data = data
    const changed = name => { const text = JSON.stringify(data[name] ?? null), fresh = text !== this.sent[name]; this.sent[name] = text; return fresh }
    if (changed('groups')) { this.drawGroups(data.groups); this.drawDetail() }
    if (changed('shapes')) this.drawShapes(data.shapes)
    if (changed('tiles')) this.drawTiles(data.tiles)
    if (changed('points')) this.drawPoints(data.points)
    const marked = changed('ring'), outlined = changed('outline')
    if (marked || outlined) this.drawMarks(data)
    if (data.pin) this.drawPin(data.pin)
    if (changed('labels')) for (const [key, marker] of this.drawn) if (key.startsWith('amount-')) { this.labels.removeLayer(marker); this.drawn.delete(key) }
    if (before !== data) this.place(data)
    this.drawNames()
  }

  renew (name) {
    this.layers[name]?.remove()
    this.unpoint()
    const group = this.layers[name] = L.featureGroup()
    this.things.addLayer(group)
    return group
  }

  drawGroups (groups) {
    const layer = this.renew('groups')
    for (const [code, { c, ...about }] of Object.entries(groups || {})) {
      const usual = { fillColor: rgb(c), fillOpacity: 0.85, color: this.shade.border, weight: 1, stroke: true }
      this.thing(L.polygon(this.base.groups[code], { ...usual, renderer: this.canvas, pane: 'data' }), about, usual, layer)
    }
  }

  drawShapes (shapes) {
    const layer = this.renew('shapes')
    for (const { p, c, ...about } of shapes || []) {
      const usual = { fillColor: rgb(c), fillOpacity: 1, color: '#fff', weight: 1, stroke: true }
      this.thing(L.polygon(p, { ...usual, renderer: this.canvas, pane: 'data', smoothFactor: 0 }), about, usual, layer)
    }
  }

  drawPoints (points) {
    const layer = this.renew('points'), radius = (points || []).length > 300 ? 4 : 7
    for (const { p, c, ...about } of points || []) {
      const usual = { fillColor: rgb(c), fillOpacity: 1, color: '#fff', weight: 1, stroke: true }
      this.thing(L.circleMarker(p, { ...usual, radius, renderer: this.canvas, pane: 'data' }), about, usual, layer)
    }
  }

  drawMarks ({ ring, outline }) {
    this.marks.clearLayers()
    const style = { color: this.dark ? '#fff' : '#111', weight: 3, fill: false, interactive: false, renderer: this.markCanvas, pane: 'marks' }
    if (outline) this.marks.addLayer(L.polygon(outline, style))
    if (ring) this.marks.addLayer(L.circleMarker(ring, { ...style, radius: 14 }))
  }

  // Tiles of our own portal: the former stay until those of the new choice are there.
  drawTiles (tiles) {
    const old = this.layers.tiles
    if (!tiles) { old?.remove(); this.layers.tiles = null; return }
    const fresh = this.layers.tiles = new Tiles(this, tiles)
    if (old) { const end = () => { old.remove(); clearTimeout(timer) }; const timer = setTimeout(end, 4000); fresh.once('load', end) }
    fresh.addTo(this.map)
  }

  // ---- a pin that a reader sets
  startPin () {
    this.box.classList.add('pinning')
    this.map.on('click', event => this.setPin(event.latlng))
    this.box.addEventListener('keydown', event => {
      const step = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key]
      if (event.target !== this.box) return
      if (step) {
        const from = this.map.latLngToContainerPoint(this.pin ? this.pin.getLatLng() : this.map.getCenter())
        this.setPin(this.map.containerPointToLatLng(from.add(step)))
      } else if (event.key === '+' || event.key === '=') this.map.zoomIn()
      else if (event.key === '-') this.map.zoomOut()
      else return
      event.preventDefault(); event.stopPropagation()
    })
  }

  setPin (at) {
    const position = { latitude: +at.lat.toFixed(5), longitude: +at.lng.toFixed(5) }
    this.drawPin({ at: [position.latitude, position.longitude] })
    this.keep('position', position)
  }

  drawPin ({ at }) {
    if (!at) { this.pin?.remove(); this.pin = null; return }
    if (!this.pin) this.pin = L.circleMarker(at, { radius: 9, color: '#fff', weight: 3, fillColor: '#d55e00', fillOpacity: 1, interactive: false, renderer: this.markCanvas, pane: 'marks' }).addTo(this.map)
    this.pin.setLatLng(at)
  }

  stop () { this.watch?.disconnect(); this.map?.remove() }
}

const Tiles = L.GridLayer.extend({
  initialize (portal, { url, points, amounts, radii, size }) {
    L.GridLayer.prototype.initialize.call(this, { tileSize: 256, minNativeZoom: 3, maxNativeZoom: 16, pane: 'data', updateWhenZooming: false, keepBuffer: 1, bounds: [[49, -9.5], [61.5, 3]] })
    Object.assign(this, { portal, url, points, amounts, radii, size, groups: L.featureGroup() })
    this.on('tileunload', ({ tile }) => { tile.end?.abort(); if (tile.group) this.groups.removeLayer(tile.group) })
  },
  onAdd (map) { this.portal.things.addLayer(this.groups); L.GridLayer.prototype.onAdd.call(this, map) },
  onRemove (map) { L.GridLayer.prototype.onRemove.call(this, map); this.portal.things.removeLayer(this.groups) },
  createTile (coords, done) {
    const tile = document.createElement('div')
    tile.end = new AbortController()
    const url = L.Util.template(this.url, { x: coords.x, y: coords.y, z: coords.z })
    fetch(url, { signal: tile.end.signal }).then(reply => reply.ok ? reply.json() : Promise.reject(new Error(reply.status)))
      .then(({ features }) => { tile.group = this.draw(features, coords); this.groups.addLayer(tile.group); done(null, tile) })
      .catch(error => done(error, tile))
    return tile
  },
  draw (features, coords) {
    const group = L.featureGroup(), { canvas: renderer, map } = this.portal
    const corner = (x, y) => map.unproject([x * 256, y * 256], coords.z), bounds = L.latLngBounds(corner(coords.x, coords.y), corner(coords.x + 1, coords.y + 1))
    for (const { geometry, properties: about } of features) {
      if (about.i) {
        const [lon, lat] = geometry.coordinates
        // A point that reaches into this tile from the next is drawn there.
        if (lat < bounds.getSouth() || lat >= bounds.getNorth() || lon < bounds.getWest() || lon >= bounds.getEast()) continue
        const usual = { fillColor: rgb(this.points[about.k % this.size] || [122, 122, 122]), fillOpacity: 1, color: '#fff', weight: 1, opacity: 0.7, stroke: true }
        const radius = this.radii[(about.k - about.k % this.size) / this.size]
        this.portal.thing(L.circleMarker([lat, lon], { ...usual, radius, renderer, pane: 'data' }), { ...about, pick: { i: about.i } }, usual, group)
      } else if (about.h) {
        const usual = { fillColor: rgb(this.amounts[about.k]), fillOpacity: 0.72, stroke: false, color: '#fff', weight: 0 }
        const ring = geometry.coordinates[0].map(([lon, lat]) => [lat, lon])
        this.portal.thing(L.polygon(ring, { ...usual, renderer, pane: 'data', smoothFactor: 0 }), { ...about, pick: { h: about.h } }, usual, group)
      }
    }
    return group
  }
})

// Draw or bring up to date; the answer ends the map.
export async function draw ({ parentElement, data, setTriggerValue, setStateValue }) {
  let portal = maps.get(parentElement)
  if (portal && !portal.map && portal.starting) await portal.starting
  if (!portal || portal.dark !== portal.isDark()) {
    portal?.stop()
    portal = new Portal(parentElement)
    maps.set(parentElement, portal)
    portal.starting = Promise.all([ground, styles]).then(([base, sheets]) => {
      parentElement.getRootNode().adoptedStyleSheets = sheets
      if (portal.ended) return
      portal.send = setTriggerValue
      portal.keep = setStateValue
      portal.start(data, base)
    })
    await portal.starting
  }
  portal.send = setTriggerValue
  portal.keep = setStateValue
  if (portal.map && !portal.ended) portal.update(data)
}

export function end (parentElement) {
  const portal = maps.get(parentElement)
  if (portal) { portal.ended = true; portal.stop(); maps.delete(parentElement) }
}
