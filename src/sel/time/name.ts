/** English names of months, weekdays and time zones. */
import { millisOf } from "./calendar.ts";
import type { DateTime } from "./type.ts";
import { offsetText } from "./zone.ts";

export const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);
export const WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");
export const AM_PM = ["AM", "PM"];
export const ERAS = ["BC", "AD"];

/** Abbreviations by long name; what is missing here prints as its offset. */
const SHORT: ReadonlyMap<string, string> = new Map(
  `PST Pacific Standard Time|PDT Pacific Daylight Time|MST Mountain Standard Time|MDT Mountain Daylight Time
CST Central Standard Time|CDT Central Daylight Time|EST Eastern Standard Time|EDT Eastern Daylight Time
AST Atlantic Standard Time|ADT Atlantic Daylight Time|NST Newfoundland Standard Time|NDT Newfoundland Daylight Time
AKST Alaska Standard Time|AKDT Alaska Daylight Time|HST Hawaii-Aleutian Standard Time|HDT Hawaii-Aleutian Daylight Time
SST Samoa Standard Time|ChST Chamorro Standard Time|GMT Greenwich Mean Time|BST British Summer Time
IST Irish Standard Time|CET Central European Standard Time|CEST Central European Summer Time
EET Eastern European Standard Time|EEST Eastern European Summer Time|WET Western European Standard Time
WEST Western European Summer Time|MSK Moscow Standard Time|MSD Moscow Summer Time|IST India Standard Time
JST Japan Standard Time|KST Korean Standard Time|CST China Standard Time|CDT China Daylight Time
CST Taipei Standard Time|HKT Hong Kong Standard Time|SGT Singapore Standard Time|PST Philippine Standard Time
PKT Pakistan Standard Time|ICT Indochina Time|WIB Western Indonesia Time|WITA Central Indonesia Time
WIT Eastern Indonesia Time|AEST Australian Eastern Standard Time|AEDT Australian Eastern Daylight Time
ACST Australian Central Standard Time|ACDT Australian Central Daylight Time|AWST Australian Western Standard Time
NZST New Zealand Standard Time|NZDT New Zealand Daylight Time|BRT Brasilia Standard Time|BRST Brasilia Summer Time
ART Argentina Standard Time|CLT Chile Standard Time|CLST Chile Summer Time|COT Colombia Standard Time
PET Peru Standard Time|VET Venezuela Time|UYT Uruguay Standard Time|PYT Paraguay Standard Time
PYST Paraguay Summer Time|BOT Bolivia Time|ECT Ecuador Time|AMT Amazon Standard Time|FNT Fernando de Noronha Standard Time
IST Israel Standard Time|IDT Israel Daylight Time|AST Arabian Standard Time|GST Gulf Standard Time
IRST Iran Standard Time|IRDT Iran Daylight Time|SAST South Africa Standard Time|EAT East Africa Time
CAT Central Africa Time|WAT West Africa Standard Time|BDT Bangladesh Standard Time|NPT Nepal Time|MMT Myanmar Time
AFT Afghanistan Time|UZT Uzbekistan Standard Time|GET Georgia Standard Time|AZT Azerbaijan Standard Time
MUT Mauritius Standard Time|MYT Malaysia Time|FJT Fiji Standard Time|UTC Coordinated Universal Time`
    .split(/[|\n]/)
    .map((entry) => [entry.slice(entry.indexOf(" ") + 1), entry.slice(0, entry.indexOf(" "))]),
);

/** One per zone: making them is slow. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** The full name of the zone as it is at that moment, `+05:30` for an offset. */
export function longZoneName(time: DateTime): string {
  const { id, fixed } = time.zone;
  if (fixed && id !== "UTC") return id;
  const millis = Number(millisOf(time));
  const format = formats.get(id) ?? new Intl.DateTimeFormat("en-US", { timeZone: id, timeZoneName: "long" });
  formats.set(id, format);
  const at = Math.abs(millis) > 8.64e15 ? 0 : millis;
  return format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? id;
}

export function shortZoneName(time: DateTime): string {
  if (time.zone.id === "UTC" || time.zone.id === "Etc/UTC") return "UTC";
  if (/^(?:[CEMW]ET|[EMH]ST)$/.test(time.zone.id) && !longZoneName(time).includes("Summer")) return time.zone.id;
  return SHORT.get(longZoneName(time)) ?? offsetText(time.zone.offsetAt(time));
}
