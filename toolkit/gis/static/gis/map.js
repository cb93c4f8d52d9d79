/* Interactive maps of publishing-toolkit: Leaflet over the GeoJSON in the page. No tiles, no other host, no inline code.
   Each [data-gis-map] holds its picture for readers without script, and its features as JSON. */
(function () {
  "use strict";

  var calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function safeUrl(url) {
    // A link leads to a page, never to a script.
    try {
      return /^https?:$/.test(new URL(url, document.baseURI).protocol) ? url : "";
    } catch (error) {
      return "";
    }
  }

  function popup(said) {
    var box = document.createElement("div");
    var name = document.createElement(said.url && safeUrl(said.url) ? "a" : "strong");
    if (name.tagName === "A") name.href = said.url;
    name.className = "map-popup-name";
    name.dir = "auto";
    name.textContent = said.label;
    box.appendChild(name);
    if (said.text) {
      var text = document.createElement("p");
      text.dir = "auto";
      text.textContent = said.text;
      box.appendChild(text);
    }
    return box;
  }

  function marker(said, position) {
    var kind = "map-" + (said.kind || "landmark");
    var icon = L.divIcon({ className: "map-marker " + kind, iconSize: [24, 24], iconAnchor: [12, 12] });
    return L.marker(position, { icon: icon, keyboard: true, alt: said.label || "", title: said.label || "" });
  }

  function reachable(layer, said) {
    // Leaflet makes markers focusable, and leaves paths to the mouse.
    var element = layer.getElement && layer.getElement();
    if (!element || layer instanceof L.Marker || !said.label) return;
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", said.label);
    element.addEventListener("keydown", function (event) {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      layer.openPopup();
    });
  }

  function eachPart(layer, said) {
    if (layer.eachLayer) layer.eachLayer(function (part) { eachPart(part, said); });
    else reachable(layer, said);
  }

  function start(holder) {
    if (holder.getAttribute("data-started")) return;
    holder.setAttribute("data-started", "yes");
    var data = JSON.parse(holder.querySelector('script[type="application/json"]').textContent);
    var words = data.words;
    var place = document.createElement("div");
    place.className = "map-canvas";
    place.style.height = holder.getAttribute("data-height") + "px";
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", words.map + ". " + words.keys);
    holder.appendChild(place);

    var map = L.map(place, {
      attributionControl: false,
      zoomControl: false,
      scrollWheelZoom: false, // the page must scroll past the map; it zooms once the map has the focus
      zoomAnimation: !calm,
      fadeAnimation: !calm,
      markerZoomAnimation: !calm,
      zoomSnap: 0.5,
      minZoom: 1,
      maxZoom: 19
    });
    L.control.zoom({ zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    map.on("focus", function () { map.scrollWheelZoom.enable(); });
    map.on("blur", function () { map.scrollWheelZoom.disable(); });

    // The view must be set before shapes are added: a path has no element until then.
    var shapes = L.geoJSON(data, {
      style: function (feature) {
        var kind = feature.properties.kind || "landmark";
        return { className: "map-path map-" + kind + (/Line/.test(feature.geometry.type) ? " map-open" : ""), weight: 2 };
      },
      pointToLayer: function (feature, position) { return marker(feature.properties, position); },
      onEachFeature: function (feature, layer) {
        if (!feature.properties.label) return;
        var name = document.createElement("span");
        name.textContent = feature.properties.label;
        if (!(layer instanceof L.Marker)) layer.bindTooltip(name, { sticky: true });
        layer.bindPopup(function () { return popup(feature.properties); }, { maxWidth: 260 });
      }
    });
    var bounds = shapes.getBounds();
    map.fitBounds(bounds, { padding: [24, 24], maxZoom: 16, animate: false });
    map.setMaxBounds(bounds.pad(1.5));
    shapes.addTo(map);
    shapes.eachLayer(function (layer) { eachPart(layer, layer.feature.properties); });

    map.on("popupopen", function (event) {
      var close = event.popup.getElement().querySelector(".leaflet-popup-close-button");
      if (close) close.setAttribute("aria-label", words.close);
      var link = event.popup.getElement().querySelector("a.map-popup-name");
      if (link) link.focus({ preventScroll: true });
    });
    place.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { map.closePopup(); place.focus(); }
    });

    // Only now: a map that failed on its way here has left the picture in place.
    holder.querySelector(".map-fallback").classList.add("map-replaced");
    holder.classList.add("map-running");
    map.invalidateSize();
  }

  function startAll() {
    document.querySelectorAll("[data-gis-map]").forEach(start);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
