//! Pictures: how large they are as people see them, and a small one to show before the large one.
//!
//! A picture is decoded with bounds on its sides and on memory, which its header is checked against first. How it was
//! held (EXIF) is applied; nothing else of its metadata, such as the place it was taken at, gets into the thumbnail.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::limits;

/// Quality of JPEG thumbnails, of 100.
const QUALITY: u8 = 80;

/// What a look at a picture finds.
#[derive(Debug)]
pub(crate) struct Picture {
    /// In pixels, as it is shown.
    pub(crate) width: u32,
    /// Likewise.
    pub(crate) height: u32,
    /// JPEG, or PNG where something shows through; `None`: the picture is too large to be decoded.
    pub(crate) thumbnail: Option<Vec<u8>>,
}

/// How to decode files of a type; `None`: they get no thumbnail.
pub(super) fn format(mime_type: &str) -> Option<ImageFormat> {
    match mime_type {
        "image/png" => Some(ImageFormat::Png),
        "image/jpeg" => Some(ImageFormat::Jpeg),
        "image/gif" => Some(ImageFormat::Gif),
        "image/webp" => Some(ImageFormat::WebP),
        _ => None,
    }
}

/// Looks at a picture; `None`: it cannot be decoded.
pub(super) fn look(bytes: &Bytes, format: ImageFormat) -> Option<Picture> {
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::MAX_PICTURE_SIDE);
    bounds.max_image_height = Some(limits::MAX_PICTURE_SIDE);
    bounds.max_alloc = Some(limits::MAX_PICTURE_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) =
        if is_on_its_side(orientation) { (height, width) } else { (width, height) };
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits::MAX_PICTURE_PIXELS || decoder.total_bytes() > limits::MAX_PICTURE_MEMORY {
        return Some(Picture { width, height, thumbnail: None });
    }
    let image = DynamicImage::from_decoder(decoder).ok()?;
    let side = limits::THUMBNAIL_SIDE;
    let is_small = image.width() <= side && image.height() <= side;
    let mut small = if is_small { image } else { image.thumbnail(side, side) };
    small.apply_orientation(orientation);
    Some(Picture { width, height, thumbnail: Some(encode(&small)?) })
}

const fn is_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

fn encode(image: &DynamicImage) -> Option<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let colours = image.to_rgba8();
    if colours.pixels().any(|pixel| pixel.0[3] != u8::MAX) {
        colours.write_to(&mut bytes, ImageFormat::Png).ok()?;
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        image.to_rgb8().write_with_encoder(encoder).ok()?;
    }
    Some(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn written(image: &DynamicImage, format: ImageFormat) -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner().into()
    }

    /// Red on the left, blue on the right.
    fn halves(width: u32, height: u32) -> DynamicImage {
        let colour = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
        RgbImage::from_fn(width, height, colour).into()
    }

    fn thumbnail(picture: &Picture) -> RgbImage {
        image::load_from_memory(picture.thumbnail.as_deref().unwrap()).unwrap().to_rgb8()
    }

    #[test]
    fn thumbnails_are_small_and_keep_the_shape() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
            let picture = look(&written(&halves(800, 400), format), format).unwrap();
            assert_eq!((picture.width, picture.height), (800, 400), "{format:?}");
            let small = thumbnail(&picture);
            let side = limits::THUMBNAIL_SIDE;
            assert_eq!(small.dimensions(), (side, side / 2), "{format:?}");
            assert!(small.get_pixel(10, 10)[0] > 200 && small.get_pixel(side - 10, 10)[2] > 200);
        }
        let tiny = look(&written(&halves(8, 4), ImageFormat::Png), ImageFormat::Png).unwrap();
        assert_eq!(thumbnail(&tiny).dimensions(), (8, 4));
    }

    #[test]
    fn what_shows_through_stays_so() {
        let glass = RgbaImage::from_pixel(4, 4, Rgba([1, 2, 3, 40])).into();
        let picture = look(&written(&glass, ImageFormat::Png), ImageFormat::Png).unwrap();
        let small = image::load_from_memory(&picture.thumbnail.unwrap()).unwrap().to_rgba8();
        assert_eq!(small.get_pixel(0, 0), &Rgba([1, 2, 3, 40]));
    }

    #[test]
    fn u1_a_picture_is_turned_upright_and_its_metadata_stays_behind() {
        // An EXIF block that says "rotate by 90° clockwise" and holds a secret.
        let secret = b"where it was taken";
        let mut exif =
            b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend_from_slice(secret);
        let jpeg = written(&halves(40, 20), ImageFormat::Jpeg);
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let held = [&jpeg[..2], b"\xff\xe1", &length, &exif, &jpeg[2..]].concat();
        let picture = look(&held.into(), ImageFormat::Jpeg).unwrap();
        assert_eq!((picture.width, picture.height), (20, 40));
        let small = thumbnail(&picture);
        assert_eq!(small.dimensions(), (20, 40));
        assert!(small.get_pixel(10, 5)[0] > 200 && small.get_pixel(10, 35)[2] > 200, "red is up");
        let bytes = picture.thumbnail.unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }

    #[test]
    fn u1_a_picture_that_lies_about_its_size_is_not_decoded() {
        // A PNG's header may claim any size: 100,000 × 100,000, and one within the sides but with too many pixels.
        let honest = written(&halves(8, 4), ImageFormat::Png);
        let claims = |width: u32, height: u32| {
            let mut png = honest.to_vec();
            png[16..20].copy_from_slice(&width.to_be_bytes());
            png[20..24].copy_from_slice(&height.to_be_bytes());
            let sum = crc32(&png[12..29]);
            png[29..33].copy_from_slice(&sum.to_be_bytes());
            look(&png.into(), ImageFormat::Png)
        };
        assert!(claims(100_000, 100_000).is_none());
        let wide = claims(16_000, 16_000).unwrap();
        assert_eq!((wide.width, wide.height, wide.thumbnail), (16_000, 16_000, None));
        assert!(claims(9, 4).is_none(), "there are not that many pixels");
        for end in [0, 1, 20, honest.len() / 2] {
            assert!(look(&honest.slice(..end), ImageFormat::Png).is_none());
        }
    }

    /// Of PNG's chunks (ISO 3309).
    fn crc32(bytes: &[u8]) -> u32 {
        let step = |sum: u32, _| (sum >> 1) ^ (0xEDB8_8320 * (sum & 1));
        !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
    }
}
