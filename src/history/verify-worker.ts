/**
 * The other side of `verify-helper.ts`: rebuilds and hashes contents, and verifies signatures, in a worker thread.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { EntryBatch } from '../lseq/batch.js'
import { Findings } from './findings.js'
import { Graph } from './graph.js'
import { wrongSignatures } from './signatures.js'
import { ContentCheck, LineContents } from './verify-contents.js'
import { type FromWorker, reportOf, type ToWorker } from './verify-helper.js'

const port = parentPort
if (port === null) throw new TypeError('verify-worker: expected to run in a worker thread')

const findings = new Findings()
const check = new ContentCheck()
let contents: LineContents | undefined

function answer(message: FromWorker): void {
  port?.postMessage(message)
}

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start': {
      const graph = Graph.fromColumns(message.graph)
      contents = new LineContents(graph, { byFile: message.byFile }, findings, check.visit, message.sources)
      break
    }
    case 'lines': {
      const { keys, keyStarts, keyEnds, values, valueStarts, valueEnds } = message
      contents?.take(new EntryBatch(keys, keyStarts, keyEnds, values, valueStarts, valueEnds))
      answer({ kind: 'taken' })
      break
    }
    case 'end':
      contents?.finish()
      answer({ kind: 'contents', ...reportOf(check, findings) })
      break
    case 'signatures':
      answer({ kind: 'signatures', wrong: wrongSignatures(message.batch) })
  }
})
