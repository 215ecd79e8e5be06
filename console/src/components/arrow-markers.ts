import { svg } from "lit";

/** The ends of arrows: a filled head, a diamond, an open head, a ring, and the cross of one that did not arrive. Told apart without colour, too. */
export const arrowMarkers = svg`<defs>
  <marker id="http-end" class="http" viewBox="0 0 12 12" refX="10" refY="6" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto">
    <path class="filled" d="M 1 1 L 11 6 L 1 11 z"></path>
  </marker>
  <marker id="direct-end" class="direct" viewBox="0 0 12 12" refX="10" refY="6" markerWidth="12" markerHeight="12" markerUnits="userSpaceOnUse" orient="auto">
    <path class="filled" d="M 1 6 L 6 2 L 11 6 L 6 10 z"></path>
  </marker>
  <marker id="broken-end" viewBox="0 0 12 12" refX="10" refY="6" markerWidth="15" markerHeight="15" markerUnits="userSpaceOnUse">
    <path class="broken-end" d="M 2 2 L 10 10 M 10 2 L 2 10"></path>
  </marker>
  <marker id="event-end" class="event" viewBox="0 0 12 12" refX="10" refY="6" markerWidth="12" markerHeight="12" markerUnits="userSpaceOnUse" orient="auto">
    <path class="open" d="M 2 1 L 10.5 6 L 2 11"></path>
  </marker>
  <marker id="query-end" class="query" viewBox="0 0 12 12" refX="9" refY="6" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto">
    <circle class="ring" cx="6" cy="6" r="3.6"></circle>
  </marker>
</defs>`;
