import { resolve } from 'node:path'
import { required, to } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatRestore } from '../../cli/format-tree.js'

/** `weft snapshot restore`: the state a snapshot names, written out. */
export default class SnapshotRestore extends BaseCommand {
  static override summary = 'Write the state that a snapshot names into a directory'
  static override examples = ['<%= config.bin %> <%= command.id %> before-the-move --to /tmp/before']
  static override args = { name: required('Name of the snapshot') }
  static override flags = { to }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotRestore)
    await using repo = await this.openRepository()
    await this.answer(await repo.snapshots.restore(args.name, resolve(flags.to)), formatRestore)
  }
}
