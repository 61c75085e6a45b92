/** Floor × unit out of the names on the doors: 301室 and 3-2-301 are on the third floor, B1-02 below the ground. */
import type { Area, Place } from './area'
import { byName, isDoor } from './area'

export interface FloorRow {
  /** Null: the name tells no floor. */
  floor: number | null
  cells: Place[][]
}

export interface Matrix {
  units: { id: string; name: string }[]
  floors: FloorRow[]
}

export function floorOf(name: string): number | null {
  const text = name.normalize('NFKC').toUpperCase()
  const below = /B(\d)/.exec(text)
  if (below) return -Number(below[1])
  const said = /(\d{1,2})\s*(?:楼|层|F)/.exec(text)
  if (said) return Number(said[1])
  const number = /(\d{3,4})(?!.*\d{3})/.exec(text)
  return number ? Math.floor(Number(number[1]) / 100) : null
}

export function matrixOf(area: Area, building: string): Matrix {
  const children = area.children.get(building) ?? []
  const units = children.filter((place) => place.kind === 'unit')
  const columns = units.map((unit) => ({ id: unit.id, name: unit.name }))
  const loose = children.filter(isDoor)
  if (loose.length) columns.push({ id: building, name: '' })
  const floors = new Map<number | null, Place[][]>()
  for (const [column, { id }] of columns.entries()) {
    for (const door of (area.children.get(id) ?? []).filter(isDoor)) {
      const floor = floorOf(door.name)
      const row = floors.get(floor) ?? columns.map(() => [])
      row[column]!.push(door)
      floors.set(floor, row)
    }
  }
  const rows = [...floors].map(([floor, cells]) => ({ floor, cells: cells.map((doors) => [...doors].sort(byName)) }))
  // From the top down, as one walks a stairwell; what tells no floor comes last.
  rows.sort((a, b) => (b.floor ?? -99) - (a.floor ?? -99))
  return { units: columns, floors: rows }
}
