/**
 * The progress bar of long work: on stderr, only on a terminal, only after a second.
 *
 * The bar's library is loaded when the bar is first drawn, so that short commands do not pay for it.
 * @module
 */
import type { SingleBar } from 'cli-progress'
import { milliseconds } from '../base/clock.js'
import type { Progress } from '../repo/results.js'
import { grouped } from './format.js'

/** Work shorter than this shows no bar, in milliseconds. */
const PATIENCE = 1000

/** Shortest time between two drawings, in milliseconds. */
const REDRAW = 100

/** One bar that follows any number of phases one after the other. */
export class ProgressBar {
  private readonly stream: NodeJS.WriteStream
  private readonly began = milliseconds()
  private drawn = 0
  private bar: SingleBar | undefined
  private state: 'waiting' | 'loading' | 'ready' | 'stopped' = 'waiting'

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream
  }

  /** Says how far the work is. Cheap enough to be called for every item. */
  readonly update: Progress = (phase, done, total) => {
    if (this.state === 'stopped') return
    const now = milliseconds()
    if (now - this.began < PATIENCE || (now - this.drawn < REDRAW && done !== total)) return
    this.drawn = now
    if (this.state === 'waiting') void this.load()
    if (!this.bar) return
    this.bar.setTotal(Math.max(total, 1))
    this.bar.update(Math.min(done, total), {
      phase,
      of: total > 0 ? ` of ${grouped(total)}` : '',
      count: total > 0 || done > 0 ? grouped(done) : '',
    })
  }

  /** Takes the bar away. Nothing is drawn after this. */
  stop(): void {
    this.state = 'stopped'
    this.bar?.stop()
    this.bar = undefined
  }

  private async load(): Promise<void> {
    this.state = 'loading'
    const { default: library } = await import('cli-progress')
    // Stopped while loading: there is nothing to show any more.
    if ((this.state as string) === 'stopped') return
    this.state = 'ready'
    this.bar = new library.SingleBar({
      stream: this.stream,
      format: '{phase} [{bar}] {count}{of}',
      barsize: 30,
      clearOnComplete: true,
      // The terminal is left as it is, so that nothing has to be put right when a signal ends the program. (The library's
      // own answer to that catches SIGTERM and goes on.)
      hideCursor: null,
      linewrap: true,
      gracefulExit: false,
    })
    this.bar.start(1, 0, { phase: 'Working', of: '', count: '' })
  }
}
