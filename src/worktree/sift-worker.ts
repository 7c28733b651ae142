/**
 * The second thread of a sift.
 * @module
 */
import { workerData } from 'node:worker_threads'
import { type SiftTask, sift } from './sift.js'

sift(workerData as SiftTask, true)
