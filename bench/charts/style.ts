/**
 * What the classes of the charts look like, on light pages and on dark ones. The log is what has a colour.
 *
 * @module
 */

export const STYLE: string = `
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#57606a}
.card{fill:#fff;stroke:#d0d7de}
.title{font-size:17px;font-weight:600;fill:#1f2328}
.subtitle,.tick{font-size:12px}
.heading{font-weight:600;fill:#1f2328}
.caption{font-size:11px}
.warning{fill:#bc4c00}
.end{text-anchor:end}
.middle{text-anchor:middle}
text.log{font-weight:600;fill:#0a5bd3}
text.mode{fill:#0a5bd3}
text.floor{font-size:11px;fill:#9a6700}
.value{font-variant-numeric:tabular-nums}
.bar.log,.dot.log{fill:#0a5bd3}
.bar.mode{fill:#7fb2f5}
.bar.peer,.dot.peer{fill:#8c959f}
.bar.tuned{fill:#d0d7de}
.dot{stroke:#fff;stroke-width:1.5}
.dot.floor{fill:#bf8700}
.curve{fill:none;stroke-width:1.5;stroke-linejoin:round}
.curve.log{stroke:#0a5bd3;stroke-width:3}
.curve.peer{stroke:#8c959f;stroke-dasharray:2 4}
line.floor,.curve.floor{stroke:#bf8700;stroke-width:1.5;stroke-dasharray:5 3}
.grid{stroke:#eaeef2}
.halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
@media(prefers-color-scheme:dark){
text{fill:#9198a1}
.card{fill:#0d1117;stroke:#3d444d}
.title,.heading{fill:#f0f6fc}
.warning{fill:#ffa657}
text.log,text.mode{fill:#79b8ff}
text.floor{fill:#d29922}
.bar.log,.dot.log{fill:#4c9aff}
.bar.mode{fill:#2f5f9e}
.bar.peer,.dot.peer{fill:#6e7681}
.bar.tuned{fill:#373e47}
.dot,.halo{stroke:#0d1117}
.dot.floor{fill:#d29922}
.curve.log{stroke:#4c9aff}
.curve.peer{stroke:#6e7681}
line.floor,.curve.floor{stroke:#d29922}
.grid{stroke:#21262d}
}`.trim().replaceAll("\n", "");
