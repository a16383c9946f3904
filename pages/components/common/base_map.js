// Loads the map's script once a browser; static/map/map.js draws.
const script = import(location.origin + 'MAP_SCRIPT')
export default function (component) {
  const { parentElement, data } = component, box = parentElement.querySelector('.map')
  box.style.setProperty('--height', data.height)
  box.setAttribute('aria-label', data.label)
  script.then(({ draw }) => draw(component))
  return () => script.then(({ end }) => end(parentElement))
}
