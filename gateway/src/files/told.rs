//! What is told of an uploaded file, by the upload itself and by the messages that carry it.

use ringwire_protocol::wire;
use ringwire_storage::attachments::NewAttachment;
use ringwire_storage::profiles::OWN_FILES;

use crate::limits;

/// Where a file is, and where its thumbnail; that is empty where there is none.
pub(crate) fn addresses(file: &NewAttachment) -> (String, String) {
    let url = format!("{OWN_FILES}{}", file.file_id);
    let has_thumbnail = file.width > 0
        && u64::from(file.width) * u64::from(file.height) <= limits::MAX_PICTURE_PIXELS;
    let thumbnail_url = if has_thumbnail { format!("{url}/thumbnail") } else { String::new() };
    (url, thumbnail_url)
}

/// Says of an attachment what is known of its file, whatever its sender said. How long it plays nobody has looked at.
pub(crate) fn describe(attachment: &mut wire::Attachment, file: &NewAttachment) {
    let (url, thumbnail_url) = addresses(file);
    *attachment = wire::Attachment {
        file_id: file.file_id.clone(),
        url,
        thumbnail_url,
        name: file.name.clone(),
        mime_type: file.mime_type.clone(),
        size_bytes: file.size_bytes,
        width: file.width,
        height: file.height,
        duration_ms: attachment.duration_ms,
    };
}

#[cfg(test)]
mod tests {
    use ringwire_protocol::UserId;

    use super::*;

    #[test]
    fn what_the_sender_says_of_a_file_is_replaced() {
        let file = NewAttachment {
            file_id: "f".repeat(32),
            owner_id: UserId::new(1).unwrap(),
            name: "cat.png".to_owned(),
            mime_type: "image/png".to_owned(),
            size_bytes: 99,
            sha256: [0; 32],
            width: 4,
            height: 3,
        };
        let mut attachment = wire::Attachment {
            file_id: file.file_id.clone(),
            url: "https://elsewhere.example".to_owned(),
            name: "invoice.pdf".to_owned(),
            mime_type: "application/pdf".to_owned(),
            size_bytes: 1,
            thumbnail_url: "https://elsewhere.example/t".to_owned(),
            width: 1,
            height: 1,
            duration_ms: 7,
        };
        describe(&mut attachment, &file);
        let url = format!("/api/v1/files/{}", file.file_id);
        let expected = wire::Attachment {
            file_id: file.file_id.clone(),
            thumbnail_url: format!("{url}/thumbnail"),
            url,
            name: "cat.png".to_owned(),
            mime_type: "image/png".to_owned(),
            size_bytes: 99,
            width: 4,
            height: 3,
            duration_ms: 7,
        };
        assert_eq!(attachment, expected);
        describe(&mut attachment, &NewAttachment { width: 0, height: 0, ..file });
        assert_eq!(attachment.thumbnail_url, "", "no picture");
    }
}
