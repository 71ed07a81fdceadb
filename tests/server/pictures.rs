//! Detection in pictures through the API: what it answers, and what it refuses in words.

use super::client::{Running, quiet};
use serde_json::json;

const PROJECT: (&str, &str) = ("ProjectName", "p");

#[test]
fn pictures_are_labelled_scored_and_cut() {
    let running = Running::start(quiet()).with_dataset();
    let files = running.dir.path().join("files");
    let mut ppm = b"P6\n200 100\n255\n".to_vec();
    // Blue with a red spot on the right.
    ppm.extend((0..100).flat_map(|y| (0..200).map(move |x| (x, y))).flat_map(|(x, y)| {
        if (150..170).contains(&x) && (30..50).contains(&y) { [230, 30, 20] } else { [20, 60, 210 + (x * y % 7) as u8] }
    }));
    std::fs::write(files.join("spot.ppm"), &ppm).unwrap();
    std::fs::write(files.join("cut.ppm"), &ppm[..500]).unwrap();
    std::fs::write(files.join("bomb.ppm"), "P6\n29999 29999\n255\n").unwrap();
    let client = running.client();
    let spot = [PROJECT, ("SourceURI", "oss://b/spot.ppm")];

    let labels = client.ok("DetectImageLabels", &spot);
    let blue = labels["Labels"].as_array().unwrap().iter().find(|l| l["LabelName"] == "Blue").unwrap();
    assert_eq!(
        (&blue["ParentLabelName"], &blue["LabelLevel"], &blue["Language"]),
        (&json!("Colour"), &json!(3), &json!("en"))
    );
    assert!(blue["LabelConfidence"].as_f64().unwrap() > 0.9);
    let sure = client.ok("DetectImageLabels", &[spot[0], spot[1], ("Threshold", "0.99")]);
    assert!(sure["Labels"].as_array().unwrap().iter().all(|l| l["LabelConfidence"].as_f64().unwrap() >= 0.99));
    assert_eq!(client.fails("DetectImageLabels", &[spot[0], spot[1], ("Threshold", "2")]).1, "InvalidArgument");

    let score = client.ok("DetectImageScore", &spot)["ImageScore"]["OverallQualityScore"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&score));

    let cut = client.ok("DetectImageCropping", &[spot[0], spot[1], ("AspectRatios", r#"["1:1","2:1"]"#)]);
    let window = &cut["Croppings"][0];
    let number = |name: &str| window["Boundary"][name].as_i64().unwrap();
    assert_eq!((window["AspectRatio"].as_str(), number("Width"), number("Height")), (Some("1:1"), 100, 100));
    assert!(number("Left") <= 150 && number("Left") + 100 >= 170, "{window}");
    assert_eq!(cut["Croppings"].as_array().unwrap().len(), 2);
    assert_eq!(client.ok("DetectImageCropping", &spot)["Croppings"].as_array().unwrap().len(), 1);
    for bad in ["[]", r#"["1:1","1:1","1:1","1:1","1:1","1:1"]"#, r#"["1.5:1"]"#, r#"["1:5"]"#, r#"["20:20"]"#, "{}"] {
        let (status, code, _) = client.fails("DetectImageCropping", &[spot[0], spot[1], ("AspectRatios", bad)]);
        assert_eq!((status, code.as_str()), (400, "InvalidArgument"), "{bad}");
    }

    let (_, code, message) = client.fails("DetectImageFaces", &spot);
    assert!(code == "InvalidArgument" && message.contains("no model pack for face detection"), "{message}");
    for (uri, code) in [
        ("oss://b/cut.ppm", "InvalidArgument"),
        ("oss://b/none", "InvalidArgument"),
        ("oss://b/bomb.ppm", "LimitExceededError"),
    ] {
        for action in ["DetectImageLabels", "DetectImageScore", "DetectImageCropping"] {
            assert_eq!(client.fails(action, &[PROJECT, ("SourceURI", uri)]).1, code, "{action} {uri}");
        }
    }
    running.stop();
}
