/**
 * A file as a plain list of its lines, in which an insert is a splice: the oracle for positions.
 * @module
 */
import assert from 'node:assert/strict'
import { compareBytes, toHex, toLatin1 } from '../../src/base/bytes.js'
import { linePosition } from '../../src/lines/position.js'
import { aliveAt, WeaveBuilder } from '../../src/lines/weave.js'
import { placeRun, type WovenRun } from '../../src/lines/weaver.js'
import { encodeLseq, LSEQ_BYTES, SEQ_LIMIT } from '../../src/lseq/lseq.js'
import { Streams, Vector } from '../../src/lseq/vector.js'

/** A line: a run and the index of the line in it. */
export interface Line {
  readonly run: WovenRun
  readonly index: number
}

/** A file in the making. */
export class LineOrder {
  readonly lines: Line[]
  readonly runs: WovenRun[]

  constructor(lines: readonly Line[] = [], runs: readonly WovenRun[] = []) {
    this.lines = [...lines]
    this.runs = [...runs]
  }

  /** Puts a run of `count` lines before line `gap`, as somebody who sees all lines would. */
  insert(gap: number, count: number, seq: number, stream = 1): WovenRun {
    const [left, right] = [this.lines[gap - 1], this.lines[gap]]
    const text = new Uint8Array(count).fill(10)
    const run: WovenRun = { version: seq, text, count, left, right, seq, stream, position: undefined, origins: [] }
    const position = placeRun(run)
    // Digits are at most a byte longer than the longer neighbour, so this is what an insert can cost.
    const neighbours = [left, right].map((line) => (line === undefined ? 0 : positionOfLine(line).length))
    assert.ok(position.length <= Math.max(...neighbours) + 1 + LSEQ_BYTES, `${toHex(position)} is long`)
    this.lines.splice(gap, 0, ...linesOf(run))
    this.runs.push(run)
    return run
  }

  /** Where a line is; -1 for one of a run that is not here. */
  at(run: WovenRun | undefined, index = 0): number {
    return this.lines.findIndex((line) => line.run === run && line.index === index)
  }

  /** Runs that have lines on both sides of a gap. */
  around(gap: number): Set<WovenRun> {
    const before = new Set(this.lines.slice(0, gap).map((line) => line.run))
    return new Set(
      this.lines
        .slice(gap)
        .map((line) => line.run)
        .filter((run) => before.has(run)),
    )
  }
}

/** The lines of a run. */
export function linesOf(run: WovenRun): Line[] {
  return Array.from({ length: run.count }, (_, index) => ({ run, index }))
}

/** A placed run's position. */
export function positionOf(run: WovenRun): Uint8Array {
  assert.ok(run.position !== undefined, 'the run has no position')
  return run.position
}

/** The position of a line in a placed run. */
export function positionOfLine({ run, index }: Line): Uint8Array {
  return linePosition(positionOf(run), index)
}

/** A position without the lseq at its end. */
export function digitsOf(run: WovenRun): Uint8Array {
  return positionOf(run).subarray(0, -LSEQ_BYTES)
}

/** A line in words, for comparing and for failing tests. */
export function nameOf({ run, index }: Line): string {
  return `${run.stream}-${run.seq}#${index}`
}

/** The lines in the order in which plain byte comparison puts their positions. */
export function byBytes(runs: readonly WovenRun[]): Line[] {
  const keyed = runs.flatMap(linesOf).map((line) => ({ line, key: toLatin1(positionOfLine(line)) }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ line }) => line)
}

/** The lines in the order in which a reader of the runs in key order meets them. */
function asRead(runs: readonly WovenRun[]): Line[] {
  const streams = new Streams()
  const builder = new WeaveBuilder(streams)
  const sorted = [...runs].sort((a, b) => compareBytes(positionOf(a), positionOf(b)))
  for (const run of sorted) builder.push(positionOf(run), run.text)
  let all = Vector.empty
  for (const { stream } of runs) all = all.with(streams.slot(stream), SEQ_LIMIT)
  const lines: Line[] = []
  for (const { run, from, to } of aliveAt(builder.finish(), all)) {
    for (let index = from; index < to; index++) lines.push({ run: sorted[run] as WovenRun, index })
  }
  return lines
}

/** Holds positions to what they promise, for a file whose lines are meant to be in this order. */
export function checkOrder({ lines, runs }: Pick<LineOrder, 'lines' | 'runs'>): void {
  let before: Uint8Array | undefined
  for (const line of lines) {
    const position = positionOfLine(line)
    if (before !== undefined && compareBytes(before, position) >= 0) {
      assert.fail(`${nameOf(line)}: ${toHex(position)} does not follow ${toHex(before)}`)
    }
    before = position
  }
  assert.equal(new Set(runs.map((run) => toLatin1(positionOf(run)))).size, runs.length, 'positions are unique')
  for (const run of runs) {
    const lseq = positionOf(run).subarray(-LSEQ_BYTES)
    assert.equal(toHex(lseq), toHex(encodeLseq(run.seq, run.stream)), 'a position ends in its lseq')
    assert.ok(digitsOf(run).length > 0 && digitsOf(run).at(-1) !== 0, `digits end in 0: ${toHex(positionOf(run))}`)
  }
  assert.deepEqual(asRead(runs).map(nameOf), lines.map(nameOf), 'a reader meets the lines in this order')
}
