#!/bin/sh
# Makes the fonts of the rank card: smaller files of what Debian and npm carry. Wants beside it debian/ (the unpacked packages that README.md
# names), package/ (the unpacked npm package), and fonttools with brotli on the path.
set -eu
noto=debian/usr/share/fonts/truetype/noto
cjk=debian/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc
options="--no-hinting --layout-features=* --notdef-outline --name-IDs=0,1,2,4,5,6,13,14,16,17 --drop-tables+=DSIG"
subset() { out=$1; in=$2; shift 2; pyftsubset "$in" --output-file="$out" $options "$@"; }

subset NotoSans-SemiBold.ttf $noto/NotoSans-SemiBold.ttf --layout-features=kern,mark,mkmk,ccmp,locl --unicodes=*
subset NotoSans-Regular.ttf $noto/NotoSans-Regular.ttf --layout-features=kern,mark,mkmk,ccmp --unicodes=20-7E,A0-17F,2010-2026,2030-203A,20AC,2116,2122
subset NotoSansArabic-SemiBold.ttf $noto/NotoSansArabic-SemiBold.ttf --layout-features=kern,mark,mkmk,ccmp,locl,init,medi,fina,isol,rlig,liga,calt --unicodes=600-6FF,750-77F,8A0-8FF,200C-200F,FB50-FDFF,FE70-FEFC
for script in Armenian Bengali Devanagari Ethiopic Georgian Gujarati Gurmukhi Hebrew Kannada Khmer Lao Malayalam Myanmar Sinhala Tamil Telugu Thai; do
  in=$noto/NotoSans$script-SemiBold.ttf
  [ -e "$in" ] || in=$noto/NotoSans$script-Bold.ttf
  [ -e "$in" ] || in=$noto/NotoSans$script-Regular.ttf
  subset "$(basename "$in")" "$in" --unicodes=*
done
for script in CanadianAboriginal Cherokee Lisu Runic Tifinagh; do
  in=$noto/NotoSans$script-Bold.ttf
  [ -e "$in" ] || in=$noto/NotoSans$script-Regular.ttf
  subset "$(basename "$in")" "$in" --unicodes=*
done
subset NotoSansMath-Regular.ttf $noto/NotoSansMath-Regular.ttf --layout-features= --drop-tables+=MATH --unicodes=2070-209F,2100-214F,2190-21FF,2200-22FF,1D400-1D7FF
subset NotoSansSymbols-SemiBold.ttf $noto/NotoSansSymbols-SemiBold.ttf --layout-features=mark,mkmk,ccmp --unicodes=20D0-20FF,2100-218F,2300-23FF,2460-24FF,2600-27BF,1F100-1F1FF
subset NotoSansSymbols2-Regular.ttf $noto/NotoSansSymbols2-Regular.ttf --layout-features= --unicodes=2190-21FF,2300-23FF,25A0-27BF,2900-297F,2B00-2BFF,1F650-1F67F,1F780-1F7FF
python3 -c '
def codec(name, first, last, trail):
    found = set()
    for a in range(first, last):
        for b in trail:
            try:
                text = bytes([a, b]).decode(name)
            except UnicodeDecodeError:
                continue
            found.update(ord(c) for c in text)
    return found
trail = range(0xA1, 0xFF)
found = codec("euc_jp", 0xA1, 0xFF, trail) | codec("gb2312", 0xA1, 0xF8, trail) | codec("euc_kr", 0xA1, 0xFF, trail) | codec("big5", 0xA1, 0xC7, list(range(0x40, 0x7F)) + list(trail))
found |= set(range(0x3000, 0x3100)) | set(range(0x3100, 0x3130)) | set(range(0x31F0, 0x3200)) | set(range(0xFF00, 0xFFEF)) | set(range(0x3130, 0x3190)) | set(range(0x1100,0x1113)) | set(range(0x1161,0x1176)) | set(range(0x11A8, 0x11C3))
found = {c for c in found if c >= 0x1100}
print(",".join("%X" % c for c in sorted(found)))' > cjk.txt
subset NotoSansCJKjp-Bold.otf $cjk --font-number=0 --layout-features=ccmp,ljmo,vjmo,tjmo,locl --unicodes-file=cjk.txt
python3 -c '
from fontTools.ttLib import TTFont
font = TTFont("package/twemoji.woff2"); font.flavor = None; font.save("twemoji.ttf")'
subset TwemojiMozilla.ttf twemoji.ttf --unicodes=*
rm twemoji.ttf cjk.txt
