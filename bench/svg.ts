import { digits } from './report.ts'

export interface Bar {
  readonly label: string
  readonly value: number
  readonly ours: boolean
}

export interface BarChart {
  readonly title: string
  readonly subtitle: string
  readonly groups: readonly { readonly name: string; readonly bars: readonly Bar[] }[]
}

export interface LineChart {
  readonly title: string
  readonly subtitle: string
  /** Points: how many, and what it costs. Many are drawn by their logarithm, 0 where 1 would be. */
  readonly lines: readonly {
    readonly name: string
    readonly points: readonly (readonly [number, number])[]
  }[]
}

const WIDTH = 800
const LABELS = 210
const ROW = 26

/** Horizontal bars, each with its value. */
export function barChart({ title, subtitle, groups }: BarChart): string {
  const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const unit = (WIDTH - LABELS - 80) / longest
  let y = 74
  const parts: string[] = []
  for (const { name, bars } of groups) {
    if (name !== '') {
      parts.push(text(16, y + 14, name, 'group'))
      y += 24
    }
    for (const { label, value, ours } of bars) {
      const length = Math.max(1, value * unit)
      parts.push(
        text(LABELS - 8, y + 15, label, ours ? 'ours end' : 'end'),
        `<rect class="${ours ? 'bar us' : 'bar'}" x="${LABELS}" y="${y}" width="${round(length)}" height="${ROW - 6}" rx="3"/>`,
        text(LABELS + length + 6, y + 15, digits(value), ours ? 'ours' : ''),
      )
      y += ROW
    }
    y += 8
  }
  return document(y + 8, title, subtitle, parts)
}

/** One line for each name, the last point of each labelled. */
export function lineChart({ title, subtitle, lines }: LineChart): string {
  const [left, right, top, bottom] = [50, WIDTH - 270, 84, 344]
  const decades = Math.max(...lines.flatMap(({ points }) => points.map(([many]) => logarithm(many))))
  const highest = Math.max(...lines.flatMap(({ points }) => points.map(([, cost]) => cost))) * 1.1
  const x = (many: number) => left + (logarithm(many) / decades) * (right - left)
  const y = (cost: number) => bottom - (cost / highest) * (bottom - top)
  const parts: string[] = []
  for (let decade = 0; decade <= decades; decade++) {
    const many = 10 ** decade
    parts.push(`<path class="grid" d="M${round(x(many))} ${top}V${bottom}"/>`)
    parts.push(text(x(many), bottom + 18, `${many.toLocaleString('en')}`, 'middle'))
  }
  for (let cost = 0; cost <= highest; cost += 0.5) {
    parts.push(`<path class="grid" d="M${left} ${round(y(cost))}H${right}"/>`)
    parts.push(text(left - 8, y(cost) + 4, cost.toFixed(1), 'end'))
  }
  const labels = lines
    .map(({ name, points }, i) => ({ name, i, at: points.at(-1) ?? ([1, 0] as const) }))
    .sort((a, b) => y(a.at[1]) - y(b.at[1]))
  let free = top
  for (const { name, i, at } of labels) {
    const position = Math.max(free, y(at[1]) + 4)
    free = position + 16
    parts.push(text(right + 12, position, name, `l${i}`))
  }
  for (const [i, { points }] of lines.entries()) {
    const path = points.map(([many, cost]) => `${round(x(many))} ${round(y(cost))}`).join('L')
    parts.push(`<path class="line l${i}" d="M${path}"/>`)
    for (const [many, cost] of points)
      parts.push(`<circle class="l${i}" cx="${round(x(many))}" cy="${round(y(cost))}" r="3"/>`)
  }
  return document(bottom + 34, title, subtitle, parts)
}

/** Readable on light and on dark, and without either being known. */
const STYLE = `
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:16px;font-weight:600}.sub{fill:#59636e}
.group,.ours{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}
.bar{fill:#afb8c1}.us{fill:#0969da}.grid{stroke:#d1d9e0;fill:none}.line{stroke-width:2}path.line{fill:none}
${lineColours(['#0969da', '#1a7f37', '#9a6700', '#cf222e', '#8250df'])}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.sub{fill:#9198a1}.bar{fill:#656c76}.us{fill:#4493f8}.grid{stroke:#3d444d}
${lineColours(['#4493f8', '#3fb950', '#d29922', '#f85149', '#ab7df8'])}}`

function lineColours(colours: readonly string[]): string {
  return colours
    .map((colour, i) => `.line.l${i}{stroke:${colour}}circle.l${i},text.l${i}{fill:${colour}}`)
    .join('')
}

function document(height: number, title: string, subtitle: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${round(height)}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    text(16, 28, title, 'title'),
    text(16, 50, subtitle, 'sub'),
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}">${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

function logarithm(many: number): number {
  return Math.log10(Math.max(1, many))
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10)
}
