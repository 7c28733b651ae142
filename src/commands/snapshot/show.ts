import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatSnapshot } from '../../cli/format-snapshot.js'

/** `weft snapshot show`: one snapshot in full. */
export default class SnapshotShow extends BaseCommand {
  static override summary = 'Show a snapshot: when, by whom, and its version vector'
  static override examples = ['<%= config.bin %> <%= command.id %> before-the-move']
  static override args = { name: required('Name of the snapshot') }

  async run(): Promise<void> {
    const { args } = await this.parse(SnapshotShow)
    await using repo = await this.openRepository()
    await this.answer(await repo.snapshots.show(args.name), formatSnapshot)
  }
}
