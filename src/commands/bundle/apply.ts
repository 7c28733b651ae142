import { basename, resolve } from 'node:path'
import { required } from '../../cli/arguments.js'
import { SyncCommand } from '../../cli/sync-command.js'

/** `weft bundle apply`: what a bundle brings, into the repository. */
export default class BundleApply extends SyncCommand {
  static override summary = 'Take in what a bundle brings'
  static override description =
    'The same as weft pull from that file: every version is checked whole before it is written, and the files follow. Bundles may be applied twice, and in any order: versions whose past is not here yet are kept aside, and used when it comes.'
  static override examples = ['<%= config.bin %> <%= command.id %> news.weft']
  static override args = { file: required('Bundle') }

  async run(): Promise<void> {
    const { args } = await this.parse(BundleApply)
    const { BundlePeer } = await import('../../sync/bundle-peer.js')
    const path = resolve(args.file)
    await using repo = await this.openRepository()
    await using peer = new BundlePeer(path)
    const { answer } = await this.once(repo, { name: basename(path), url: path }, peer, 'pull')
    // A file is told nothing.
    await this.tell({ ...answer, bytesSent: 0 })
  }
}
