// What all charts look like: the colours are those of the style sheet, for light, dark and paper.
"use strict";
const expiacTheme = {
  background: "transparent", font: "system-ui, sans-serif", view: {stroke: "var(--line)"},
  axis: {labelColor: "var(--soft)", titleColor: "var(--soft)", gridColor: "var(--line)", domainColor: "var(--soft)",
         tickColor: "var(--soft)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelOverlap: true},
  text: {color: "var(--ink)"}, rule: {color: "var(--soft)"},
  legend: {labelColor: "var(--ink)", titleColor: "var(--ink)", labelFontSize: 12, symbolType: "stroke", symbolSize: 300, symbolStrokeWidth: 2.5, symbolOpacity: 1},
};
